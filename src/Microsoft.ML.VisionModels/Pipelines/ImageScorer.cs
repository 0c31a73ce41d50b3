using Microsoft.ML.VisionModels.Imaging;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Scores images with a network, a batch at a time. A row whose image cannot be read has the default result.</summary>
internal abstract class ImageScorer<TResult>(DataViewSchema schema, FittedModel model, CancellationToken cancellation)
    : BatchScorer<ImageItem, TResult>(schema, cancellation)
{
    private readonly ImageScoringOptions _options = (ImageScoringOptions)model.Options;
    private readonly ImageColumn _images = ImageColumn.Bind(schema, ((ImageScoringOptions)model.Options).ImageColumnName);

    public sealed override IReadOnlyList<DataViewSchema.Column> Inputs => [_images.Column];

    public sealed override int BatchSize => _options.ScoringBatchSize;

    public sealed override Func<ImageItem> MakeReader(DataViewRow row) => _images.MakeReader(row);

    private protected sealed override IReadOnlyList<TResult> ScoreBatch(IReadOnlyList<ImageItem> items, IReadOnlyList<bool> wanted)
    {
        // A view may be read after its transformer was disposed of.
        model.Network.ThrowIfDisposed(typeof(BatchTransformer));
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var pixels = ImageItem.Pixels(items, model.Processor!, _options.SkipInvalidImages, model.Network.Type, model.Network.Device, out var invalid);   // [B, 3, H, W]
        return [.. Score(pixels, wanted).Select((result, i) => invalid[i] ? default! : result)];
    }

    /// <param name="pixels">[B, 3, H, W], preprocessed, on the network's device and of its type.</param>
    /// <param name="wanted">For each of the outputs, whether somebody will read it.</param>
    private protected abstract IEnumerable<TResult> Score(Tensor pixels, IReadOnlyList<bool> wanted);
}
