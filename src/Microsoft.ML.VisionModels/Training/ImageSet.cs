using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// Labeled images, decoded and resized once and kept as bytes: epochs after the first cost no decoding. An image of
/// 32 x 32 takes 3 kB, one of 224 x 224 takes 150 kB. Files that are too many for the memory allowed are decoded anew each time.
/// </summary>
internal sealed class ImageSet
{
    private const int RowsAtOnce = 64;

    private readonly ImageProcessor _processor;
    private readonly long _mostBytes;
    private readonly List<(byte[]? Pixels, ImageItem? File)> _images = [];   // pixels [3, H, W], planar; else where they are
    private readonly List<string> _labels = [];
    private long _bytes;

    private ImageSet(ImageProcessor processor, long mostBytes) => (_processor, _mostBytes) = (processor, mostBytes);

    public int Height => _processor.Settings.OutputHeight!.Value;

    public int Width => _processor.Settings.OutputWidth!.Value;

    public int Count => _images.Count;

    /// <summary>The rows' labels by name.</summary>
    public IReadOnlyList<string> Labels => _labels;

    /// <summary>Rows left out because they have no label.</summary>
    public int Unlabeled { get; private set; }

    /// <summary>Rows left out because their image cannot be read.</summary>
    public int Invalid { get; private set; }

    /// <summary>Reads all rows, and decodes and resizes many at once.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="images">The column of images.</param>
    /// <param name="labels">The column of labels.</param>
    /// <param name="processor">The preprocessing; its output has a fixed size.</param>
    /// <param name="skipInvalid">Whether to pass over images that cannot be read.</param>
    /// <param name="mostBytes">The memory for images. Those that do not come from files are kept in any case.</param>
    /// <param name="cancellation">Stops reading.</param>
    /// <exception cref="ImageDecodeException">An image cannot be read, and <paramref name="skipInvalid"/> is not set.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static ImageSet Read(IDataView data, ImageColumn images, LabelColumn labels, ImageProcessor processor, bool skipInvalid, long mostBytes, CancellationToken cancellation)
    {
        var set = new ImageSet(processor, mostBytes);
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
                    set.Unlabeled++;
            }
            if (rows.Count == RowsAtOnce || !more)
            {
                set.Add(rows, skipInvalid);
                rows.Clear();
            }
        }
        while (more);
        return set;
    }

    /// <summary>The images of some rows, [B, 3, H, W] uint8 on the CPU. May be called from several threads at once.</summary>
    /// <exception cref="ImageDecodeException">An image's file is gone or has changed since it was first read.</exception>
    public Tensor Pixels(int[] rows)
    {
        var size = 3 * Height * Width;
        var batch = new byte[rows.Length * size];
        OrderedParallel.For(rows.Length, i =>
        {
            var (pixels, file) = _images[rows[i]];
            var target = batch.AsSpan(i * size, size);
            if (pixels is not null)
                pixels.CopyTo(target);
            else
                Decode(file!, skipInvalid: false)!.CopyPlanes(target);
        });
        return tensor(batch, [rows.Length, 3, Height, Width], ScalarType.Byte);
    }

    /// <summary>A fingerprint of all labels in their order.</summary>
    public string LabelsDigest() => Convert.ToHexString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(_labels)))[..16];

    private void Add(List<(ImageItem Image, string Label)> rows, bool skipInvalid)
    {
        var decoded = new byte[rows.Count][];
        OrderedParallel.For(rows.Count, i =>
        {
            if (Decode(rows[i].Image, skipInvalid) is not { } image)
                return;
            decoded[i] = new byte[3 * Height * Width];
            image.CopyPlanes(decoded[i]);
        });
        for (var i = 0; i < rows.Count; i++)
        {
            if (decoded[i] is null)
            {
                Invalid++;
                continue;
            }
            var keep = _bytes + decoded[i].Length <= _mostBytes || !rows[i].Image.IsFile;
            _bytes += keep ? decoded[i].Length : 0;
            _images.Add(keep ? (decoded[i], null) : (null, rows[i].Image));
            _labels.Add(rows[i].Label);
        }
    }

    private RgbImage? Decode(ImageItem image, bool skipInvalid) =>
        image.Decode(skipInvalid) is { } decoded ? _processor.PadBytes(_processor.ResizeAndCrop(decoded, maxThreads: 1)) : null;
}
