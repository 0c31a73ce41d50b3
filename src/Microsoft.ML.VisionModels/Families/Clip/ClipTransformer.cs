using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>A CLIP that was trained: adds vectors of length 1 for each image and its text. Save its checkpoint to classify or search with it.</summary>
public sealed class ClipTransformer : ImageTransformer
{
    internal ClipTransformer(IHostEnvironment environment, FittedModel model) : base(environment, model)
    {
    }

    /// <summary>
    /// Writes a folder as Hugging Face publishes CLIP: config.json, model.safetensors with the official tensor names,
    /// preprocessor_config.json, and the tokenizer's files. <c>ClipZeroShot</c> and its siblings load it, and so do other libraries.
    /// </summary>
    /// <param name="folder">Made where it does not exist.</param>
    public void SaveCheckpoint(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using var use = Model.Use();
        var network = use.As<ClipNetwork>();
        new ClipModel().Save(network, null, Preprocessing, folder);
        Model.Tokenizer!.SaveFolder(folder, network.Config.Text.Positions);
    }

    internal override IBatchScorer Bind(DataViewSchema inputSchema, NetworkUse network, CancellationToken cancellation) =>
        new Scorer(inputSchema, Model, network.As<ClipNetwork>().Config, cancellation);

    /// <summary>Scores images and texts with both towers, a batch at a time: a vector for each.</summary>
    private sealed class Scorer : BatchScorer<(ImageItem Image, string Text), (float[]? Image, float[]? Text)>
    {
        private readonly ClipTrainerOptions _options;
        private readonly ImageColumn _images;
        private readonly DataViewSchema.Column _texts;

        public Scorer(DataViewSchema schema, FittedModel model, ClipConfig config, CancellationToken cancellation) : base(schema, model, cancellation)
        {
            _options = (ClipTrainerOptions)model.Options;
            (_images, _texts) = (ImageColumn.Bind(schema, _options.ImageColumnName), TextColumn.Input(_options.TextColumnName).Find(schema));
            int[] size = [config.EmbeddingSize];
            Outputs = [Vector(_options.ImageEmbeddingColumnName, size, null, result => result.Image), Vector(_options.TextEmbeddingColumnName, size, null, result => result.Text)];
        }

        public override IReadOnlyList<DataViewSchema.Column> Inputs => [_images.Column, _texts];

        public override IReadOnlyList<OutputColumn<(float[]? Image, float[]? Text)>> Outputs { get; }

        public override int BatchSize => _options.ScoringBatchSize;

        public override Func<(ImageItem, string)> MakeReader(DataViewRow row)
        {
            var (readImage, readText) = (_images.MakeReader(row), TextColumn.MakeReader(row, _texts));
            return () => (readImage(), readText());
        }

        public override long ImageBytes((ImageItem Image, string Text) item) => item.Image.Bytes;

        private protected override IReadOnlyList<(float[]? Image, float[]? Text)> ScoreBatch(NetworkUse network, IReadOnlyList<(ImageItem Image, string Text)> items, IReadOnlyList<bool> wanted)
        {
            using var inference = inference_mode();
            using var scope = NewDisposeScope();
            var images = wanted[0] ? Images(network, [.. items.Select(item => item.Image)]) : null;
            var texts = wanted[1] ? ClipTexts.Embed(network.As<ClipNetwork>().Text, Model.Tokenizer!, [.. items.Select(item => item.Text)], network.Device).ToRows() : null;
            return [.. items.Select((_, i) => (images?[i], texts?[i]))];
        }

        private float[]?[] Images(NetworkUse network, ImageItem[] items)
        {
            var pixels = ImageItem.Pixels(items, Model.Processor!, _options.SkipInvalidImages, network.Type, network.Device, out var invalid);
            float[]?[] vectors = ClipNetwork.Normalize(network.As<ClipNetwork>().Vision.forward(pixels)).ToRows();
            return [.. vectors.Select((vector, i) => invalid[i] ? null : vector)];
        }
    }
}
