using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.ML.VisionModels.Imaging;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// Images with what goes with each, decoded and resized once and kept as bytes: epochs after the first cost no decoding. An image of
/// 32 x 32 takes 3 kB, one of 224 x 224 takes 150 kB. Files that are too many for the memory allowed are decoded anew each time.
/// </summary>
/// <typeparam name="T">What a row has beside its image: a label, a text, a pose, nothing.</typeparam>
/// <param name="processor">The preprocessing; its output has a fixed size.</param>
/// <param name="mostBytes">The memory for images. Those that do not come from files, but from memory, are kept in any case.</param>
internal sealed class ImageSet<T>(ImageProcessor processor, long mostBytes)
{
    private readonly List<(byte[]? Pixels, ImageItem? File)> _images = [];   // pixels [3, H, W], planar; else where they are
    private readonly List<T> _payloads = [];
    private long _bytes;

    public int Height => processor.Settings.OutputHeight!.Value;

    public int Width => processor.Settings.OutputWidth!.Value;

    public int Count => _images.Count;

    /// <summary>What goes with each image.</summary>
    public IReadOnlyList<T> Payloads => _payloads;

    /// <summary>Rows left out because their image cannot be read.</summary>
    public int Invalid { get; private set; }

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

    /// <summary>A fingerprint of all payloads in their order.</summary>
    public string Digest() => Convert.ToHexString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(_payloads)))[..16];

    /// <summary>Decodes and resizes images, many at once, and keeps them.</summary>
    /// <param name="rows">The images with what goes with them.</param>
    /// <param name="skipInvalid">Whether to pass over images that cannot be read.</param>
    /// <exception cref="ImageDecodeException">An image cannot be read, and <paramref name="skipInvalid"/> is not set.</exception>
    public void Add(IReadOnlyList<(ImageItem Image, T Payload)> rows, bool skipInvalid)
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
            var keep = _bytes + decoded[i].Length <= mostBytes || !rows[i].Image.IsFile;
            _bytes += keep ? decoded[i].Length : 0;
            _images.Add(keep ? (decoded[i], null) : (null, rows[i].Image));
            _payloads.Add(rows[i].Payload);
        }
    }

    private RgbImage? Decode(ImageItem image, bool skipInvalid) =>
        image.Read(skipInvalid, decoded => processor.PadBytes(processor.ResizeAndCrop(decoded, maxThreads: 1)), processor.Settings.ConvertAfterResize);
}
