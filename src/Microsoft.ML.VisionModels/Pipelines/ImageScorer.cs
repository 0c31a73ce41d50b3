using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Scores pictures with a network, a batch at a time. A row whose picture cannot be read has the default result.</summary>
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
        var invalid = new bool[items.Count];
        var pixels = processor.ProcessBatch(items.Count, Picture)           // [B, 3, H, W]
            .to(precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32, device);
        return [.. Score(pixels, wanted).Select((result, i) => invalid[i] ? default! : result)];

        // A picture that cannot be read goes through the network as a black one, and its result is dropped.
        RgbImage Picture(int i)
        {
            if (items[i].Decode(skipInvalidImages) is { } picture)
                return picture;
            invalid[i] = true;
            return new RgbImage(1, 1);
        }
    }

    /// <param name="pixels">[B, 3, H, W], preprocessed, on the network's device and of its type.</param>
    /// <param name="wanted">For each of the outputs, whether somebody will read it.</param>
    private protected abstract IEnumerable<TResult> Score(Tensor pixels, IReadOnlyList<bool> wanted);

    private protected static float[][] PerRow(Tensor batch)                 // [B, ...] to B arrays
    {
        var values = batch.flatten(1).to(ScalarType.Float32, CPU).contiguous().data<float>().ToArray();
        return [.. values.Chunk(values.Length / (int)batch.shape[0])];
    }

    /// <summary>A column of vectors; NaN where a row has none.</summary>
    private protected static OutputColumn<TResult, VBuffer<float>> Vector(
        string name, int[] dimensions, DataViewSchema.Annotations? annotations, Func<TResult, float[]?> values)
    {
        var type = new VectorDataViewType(NumberDataViewType.Single, dimensions);
        return new(name, type, annotations, (TResult result, ref VBuffer<float> value) =>
        {
            var editor = VBufferEditor.Create(ref value, type.Size);
            if (values(result) is { } present)
                present.CopyTo(editor.Values);
            else
                editor.Values.Fill(float.NaN);
            value = editor.Commit();
        });
    }
}
