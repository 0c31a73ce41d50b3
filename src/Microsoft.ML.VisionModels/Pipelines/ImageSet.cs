using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>
/// Labelled pictures, decoded and resized once and kept as bytes: epochs after the first cost no decoding. A picture of
/// 32 x 32 takes 3 kB, one of 224 x 224 takes 150 kB.
/// </summary>
internal sealed class ImageSet
{
    private const int RowsAtOnce = 64;

    private readonly List<byte[]> _pictures = [];   // each [3, H, W], planar
    private readonly List<string> _labels = [];

    private ImageSet(int height, int width) => (Height, Width) = (height, width);

    public int Height { get; }

    public int Width { get; }

    public int Count => _pictures.Count;

    /// <summary>The rows' labels by name.</summary>
    public IReadOnlyList<string> Labels => _labels;

    /// <summary>Rows left out because they have no label.</summary>
    public int Unlabelled { get; private set; }

    /// <summary>Rows left out because their picture cannot be read.</summary>
    public int Invalid { get; private set; }

    /// <summary>Reads all rows, and decodes and resizes many at once.</summary>
    /// <exception cref="ImageDecodeException">A picture cannot be read, and <paramref name="skipInvalid"/> is not set.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static ImageSet Read(IDataView data, ImageColumn images, LabelColumn labels, ImageProcessor processor, bool skipInvalid, CancellationToken cancellation)
    {
        var set = new ImageSet(processor.Settings.OutputHeight!.Value, processor.Settings.OutputWidth!.Value);
        using var cursor = data.GetRowCursor([images.Column, labels.Column]);
        var (readImage, readLabel) = (images.MakeReader(cursor), labels.MakeReader(cursor));
        var rows = new List<(ImageItem Image, string Label)>(RowsAtOnce);
        bool more;
        do
        {
            cancellation.ThrowIfCancellationRequested();
            more = cursor.MoveNext();
            if (more)
            {
                if (readLabel() is { } label)
                    rows.Add((readImage(), label));
                else
                    set.Unlabelled++;
            }
            if (rows.Count == RowsAtOnce || !more)
            {
                set.Add(rows, processor, skipInvalid);
                rows.Clear();
            }
        }
        while (more);
        return set;
    }

    /// <summary>The pictures of some rows, [B, 3, H, W] uint8 on the CPU.</summary>
    public Tensor Pixels(ReadOnlySpan<long> rows)
    {
        var size = 3 * Height * Width;
        var batch = new byte[rows.Length * size];
        for (var i = 0; i < rows.Length; i++)
            _pictures[(int)rows[i]].CopyTo(batch, i * size);
        return tensor(batch, [rows.Length, 3, Height, Width], ScalarType.Byte);
    }

    private void Add(List<(ImageItem Image, string Label)> rows, ImageProcessor processor, bool skipInvalid)
    {
        var decoded = new byte[rows.Count][];
        OrderedParallel.For(rows.Count, i =>
        {
            if (rows[i].Image.Decode(skipInvalid) is not { } picture)
                return;
            decoded[i] = new byte[3 * Height * Width];
            processor.ResizeAndCrop(picture, maxThreads: 1).CopyPlanes(decoded[i]);
        });
        for (var i = 0; i < rows.Count; i++)
        {
            if (decoded[i] is null)
            {
                Invalid++;
                continue;
            }
            _pictures.Add(decoded[i]);
            _labels.Add(rows[i].Label);
        }
    }
}
