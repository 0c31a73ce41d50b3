using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>CLIP's text tower: adds a vector of length 1 for each text, which lies close to those of images that it describes.</summary>
public sealed class ClipTextEmbeddingTransformer : BatchTransformer
{
    internal ClipTextEmbeddingTransformer(IHostEnvironment environment, FittedModel model) : base(environment, model)
    {
    }

    internal static ClipTextEmbeddingTransformer Fit(FitContext<ClipTextEmbeddingOptions> context)
    {
        var published = PublishedClip.Open(context.Options);
        var tokenizer = published.OpenTokenizer(context.Options.Tokenizer);
        return new(context.Host, new(context.Options, published.TextTower(), context.Device) { Tokenizer = tokenizer });
    }

    internal override IBatchScorer Bind(DataViewSchema inputSchema, NetworkUse network, CancellationToken cancellation) =>
        new Scorer(inputSchema, Model, network.As<ClipTextNetwork>().Config, cancellation);

    private sealed class Scorer : BatchScorer<string, float[]>
    {
        private readonly DataViewSchema.Column _texts;

        public Scorer(DataViewSchema schema, FittedModel model, ClipTextConfig config, CancellationToken cancellation) : base(schema, model, cancellation)
        {
            var options = (ClipTextEmbeddingOptions)model.Options;
            (_texts, BatchSize) = (TextColumn.Input(options.TextColumnName).Find(schema), options.ScoringBatchSize);
            Outputs = [Vector(options.EmbeddingColumnName, [config.EmbeddingSize], null, result => result)];
        }

        public override IReadOnlyList<DataViewSchema.Column> Inputs => [_texts];

        public override IReadOnlyList<OutputColumn<float[]>> Outputs { get; }

        public override int BatchSize { get; }

        public override Func<string> MakeReader(DataViewRow row) => TextColumn.MakeReader(row, _texts);

        private protected override IReadOnlyList<float[]> ScoreBatch(NetworkUse network, IReadOnlyList<string> items, IReadOnlyList<bool> wanted)
        {
            using var inference = inference_mode();
            using var scope = NewDisposeScope();
            return ClipTexts.Embed(network.As<ClipTextNetwork>(), Model.Tokenizer!, items, network.Device).ToRows();
        }
    }
}
