using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Scores texts with CLIP's text tower, a batch at a time: a vector for each.</summary>
internal sealed class ClipTextScorer(DataViewSchema schema, ClipTextModel model, ITextTokenizer tokenizer, ClipTextSettings settings, Device device)
    : BatchScorer<string, float[]>(schema)
{
    private readonly TextColumn _texts = TextColumn.Bind(schema, settings.TextColumn);

    public override IReadOnlyList<DataViewSchema.Column> Inputs => [_texts.Column];

    public override IReadOnlyList<OutputColumn<float[]>> Outputs { get; } = [Vector(settings.EmbeddingColumn, [model.EmbeddingSize], null, result => result)];

    public override int BatchSize => settings.BatchSize;

    public override Func<string> MakeReader(DataViewRow row) => _texts.MakeReader(row);

    public override IReadOnlyList<float[]> Score(IReadOnlyList<string> items, IReadOnlyList<bool> wanted)
    {
        // A view may be read after its transformer was disposed of.
        ObjectDisposedException.ThrowIf(model.IsDisposed, typeof(BatchTransformer));
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        return ClipTexts.Embed(model.Network, tokenizer, items, device).ToRows();
    }
}

/// <summary>What a fitted text tower keeps of its options: how to score. Saved with the model.</summary>
internal sealed record ClipTextSettings(string TextColumn, string EmbeddingColumn, int BatchSize, Precision Precision);
