using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Scores images and texts with both towers, a batch at a time: a vector for each.</summary>
internal sealed class ClipPairScorer : BatchScorer<(ImageItem Image, string Text), (float[]? Image, float[]? Text)>
{
    private readonly ClipPairModel _model;
    private readonly ITextTokenizer _tokenizer;
    private readonly ImageProcessor _processor;
    private readonly ClipPairSettings _settings;
    private readonly Device _device;
    private readonly ImageColumn _images;
    private readonly TextColumn _texts;

    public ClipPairScorer(DataViewSchema schema, ClipPairModel model, ITextTokenizer tokenizer, ImageProcessor processor, ClipPairSettings settings, Device device) : base(schema)
    {
        (_model, _tokenizer, _processor, _settings, _device) = (model, tokenizer, processor, settings, device);
        (_images, _texts) = (ImageColumn.Bind(schema, settings.ImageColumn), TextColumn.Bind(schema, settings.TextColumn));
        int[] size = [model.Network.Config.EmbeddingSize];
        Outputs = [Vector(settings.ImageEmbeddingColumn, size, null, result => result.Image), Vector(settings.TextEmbeddingColumn, size, null, result => result.Text)];
    }

    public override IReadOnlyList<DataViewSchema.Column> Inputs => [_images.Column, _texts.Column];

    public override IReadOnlyList<OutputColumn<(float[]? Image, float[]? Text)>> Outputs { get; }

    public override int BatchSize => _settings.BatchSize;

    public override Func<(ImageItem, string)> MakeReader(DataViewRow row)
    {
        var (readImage, readText) = (_images.MakeReader(row), _texts.MakeReader(row));
        return () => (readImage(), readText());
    }

    public override IReadOnlyList<(float[]? Image, float[]? Text)> Score(IReadOnlyList<(ImageItem Image, string Text)> items, IReadOnlyList<bool> wanted)
    {
        // A view may be read after its transformer was disposed of.
        ObjectDisposedException.ThrowIf(_model.IsDisposed, typeof(BatchTransformer));
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var images = wanted[0] ? Images([.. items.Select(item => item.Image)]) : null;
        var texts = wanted[1] ? ClipTexts.Embed(_model.Network.Text, _tokenizer, [.. items.Select(item => item.Text)], _device).ToRows() : null;
        return [.. items.Select((_, i) => (images?[i], texts?[i]))];
    }

    private float[]?[] Images(ImageItem[] items)
    {
        var pixels = ImageItem.Pixels(items, _processor, _settings.SkipInvalidImages, _settings.Precision, _device, out var invalid);
        float[]?[] vectors = ClipNetwork.Normalize(_model.Network.Vision.forward(pixels)).ToRows();
        return [.. vectors.Select((vector, i) => invalid[i] ? null : vector)];
    }
}

/// <summary>What a fitted pair of towers keeps of its options: how to score. Saved with the model.</summary>
internal sealed record ClipPairSettings(
    string ImageColumn, string TextColumn, string ImageEmbeddingColumn, string TextEmbeddingColumn, int BatchSize, Precision Precision, bool SkipInvalidImages);
