using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Scores images with a network, a batch at a time. A row whose image cannot be read has the default result.</summary>
internal abstract class ImageScorer<TResult>(
    DataViewSchema schema, NetworkModel model, ImageProcessor processor, string imageColumn, int batchSize, Precision precision, bool skipInvalidImages, Device device)
    : BatchScorer<ImageItem, TResult>(schema)
{
    private readonly ImageColumn _images = ImageColumn.Bind(schema, imageColumn);

    public sealed override IReadOnlyList<DataViewSchema.Column> Inputs => [_images.Column];

    public sealed override int BatchSize => batchSize;

    public sealed override Func<ImageItem> MakeReader(DataViewRow row) => _images.MakeReader(row);

    public sealed override IReadOnlyList<TResult> Score(IReadOnlyList<ImageItem> items, IReadOnlyList<bool> wanted)
    {
        // A view may be read after its transformer was disposed of.
        ObjectDisposedException.ThrowIf(model.IsDisposed, typeof(BatchTransformer));
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var pixels = ImageItem.Pixels(items, processor, skipInvalidImages, precision, device, out var invalid);   // [B, 3, H, W]
        return [.. Score(pixels, wanted).Select((result, i) => invalid[i] ? default! : result)];
    }

    /// <param name="pixels">[B, 3, H, W], preprocessed, on the network's device and of its type.</param>
    /// <param name="wanted">For each of the outputs, whether somebody will read it.</param>
    private protected abstract IEnumerable<TResult> Score(Tensor pixels, IReadOnlyList<bool> wanted);
}
