using System.Runtime.ExceptionServices;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>Runs the steps of an <see cref="ImagePreprocessing"/>. It may be used from several threads at once.</summary>
internal sealed class ImageProcessor
{
    private readonly float[] _table; // [3, 256]: the normalized value of each byte in each color
    private readonly float[]? _mean; // [3, height, width]: the normalized mean image, in the order of channels
    private readonly bool _bgr;
    private readonly byte[] _zero; // for each channel the byte whose normalized value is nearest to 0

    public ImageProcessor(ImagePreprocessing settings)
    {
        settings.Validate();
        Settings = settings;
        _table = NormalizationTable(settings);
        _mean = NormalizedMean(settings);
        _bgr = settings.ChannelOrder == ChannelOrder.Bgr;
        _zero = [.. _table.Chunk(256).Select(values => (byte)Enumerable.Range(0, 256).MinBy(value => Math.Abs(values[value])))];
    }

    public ImagePreprocessing Settings { get; }

    /// <summary>The first steps, which work on bytes. Of the resized image only what the crop leaves is computed.</summary>
    /// <param name="image">The image.</param>
    /// <param name="maxThreads">How many threads may work on a large image.</param>
    /// <exception cref="ImageDecodeException">An image of this size would become too large, or does not fit into the padded size.</exception>
    public RgbImage ResizeAndCrop(RgbImage image, int maxThreads = int.MaxValue)
    {
        var size = Settings.ResizedSize(new(image.Height, image.Width));
        var whole = new PixelWindow(0, 0, size.Width, size.Height);
        var window = Settings.CenterCrop is { } crop
            ? new PixelWindow(Settings.CropOffset(size.Width, crop.Width), Settings.CropOffset(size.Height, crop.Height), crop.Width, crop.Height)
            : whole;
        var part = window.Within(whole);
        if ((long)part.Height * part.Width > Limits.ImagePixels || Math.Max(size.Height, size.Width) == int.MaxValue)
            throw new ImageDecodeException($"an image of {new ImageSize(image.Height, image.Width)} would be resized to {size}, more than the {Limits.ImagePixels} pixels that are allowed; set a smaller size, or an exact one.");
        _ = PaddedSize(window.Height, window.Width);    // before the work

        var resized = Settings.ConvertAfterResize
            ? PillowModes.Resize(image, size.Width, size.Height, Settings.Filter, part, maxThreads)
            : PillowResize.Resize(image, size.Width, size.Height, Settings.Filter, maxThreads: maxThreads, window: part);
        return resized.Window(window.Left - part.Left, window.Top - part.Top, window.Width, window.Height);
    }

    /// <summary>The last steps, which work on floats: rescales and normalizes a resized image, and pads it with zeros.</summary>
    /// <param name="image">The result of <see cref="ResizeAndCrop"/>.</param>
    /// <param name="chw">The result, [3, height, width] of the padded size.</param>
    public void Normalize(RgbImage image, Span<float> chw)
    {
        var size = PaddedSize(image.Height, image.Width);
        var plane = size.Height * size.Width;
        if (chw.Length != 3 * plane)
            throw new ArgumentException($"An image of {size} takes {3 * plane} values, not {chw.Length}.", nameof(chw));
        RequireSizeOfMean(size);
        if (size.Height != image.Height || size.Width != image.Width)
            chw.Clear();

        var (redPlane, bluePlane) = _bgr ? (2, 0) : (0, 2);
        var red = _table.AsSpan(0, 256);
        var green = _table.AsSpan(256, 256);
        var blue = _table.AsSpan(512, 256);
        for (var y = 0; y < image.Height; y++)
        {
            var row = image.Row(y);
            var start = y * size.Width;
            var reds = chw.Slice(redPlane * plane + start, image.Width);
            var greens = chw.Slice(plane + start, image.Width);
            var blues = chw.Slice(bluePlane * plane + start, image.Width);
            for (var x = 0; x < reds.Length; x++)
            {
                var pixel = row.Slice(3 * x, 3);
                reds[x] = red[pixel[0]];
                greens[x] = green[pixel[1]];
                blues[x] = blue[pixel[2]];
            }
        }
        if (_mean is not null)
            TensorPrimitives.Subtract(chw, _mean, chw);
    }

    /// <summary>All steps for one image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="chw">The result, [3, height, width] of <see cref="ImagePreprocessing.OutputSize"/>.</param>
    /// <param name="maxThreads">How many threads may work on a large image.</param>
    public void Process(RgbImage image, Span<float> chw, int maxThreads = int.MaxValue) => Normalize(ResizeAndCrop(image, maxThreads), chw);

    /// <summary>All steps for a batch of images, in parallel; their results must have one size.</summary>
    /// <returns>[B, 3, H, W] float32 on the CPU.</returns>
    public Tensor ProcessBatch(IReadOnlyList<RgbImage> images)
    {
        if (images.Count == 0)
            throw new ArgumentException("There is no image in the batch.", nameof(images));
        var sizes = images.Select(image => Settings.OutputSize(new(image.Height, image.Width))).Distinct().ToArray();
        if (sizes.Length > 1)
            throw new ArgumentException($"Images in one batch must come out in one size, but these come out as {sizes[0]} and {sizes[1]}; set an exact size or a crop.", nameof(images));
        return ProcessBatch(images.Count, sizes[0], (i, threads) => ResizeAndCrop(images[i], threads));
    }

    /// <summary>All steps for a batch of images that are decoded on the same threads; the settings must have a fixed output size.</summary>
    /// <param name="count">The number of images, B.</param>
    /// <param name="image">Returns the image at an index of the batch; called from several threads.</param>
    /// <returns>[B, 3, H, W] float32 on the CPU.</returns>
    public Tensor ProcessBatch(int count, Func<int, RgbImage> image) => ProcessBatch(count, (i, threads) => ResizeAndCrop(image(i), threads));

    /// <summary>The last steps for a batch of images that are decoded and resized on the same threads; the settings must have a fixed output size.</summary>
    /// <param name="count">The number of images, B.</param>
    /// <param name="resized">Returns what <see cref="ResizeAndCrop"/> makes of an image, by its index in the batch and the threads that may work on it; called from several threads.</param>
    /// <returns>[B, 3, H, W] float32 on the CPU.</returns>
    public Tensor ProcessBatch(int count, Func<int, int, RgbImage> resized)
    {
        if (Settings.OutputHeight is not { } height || Settings.OutputWidth is not { } width)
            throw new InvalidOperationException($"The size of the result depends on each image; set {nameof(ImageResize.Exact)}, {nameof(ImagePreprocessing.CenterCrop)} or {nameof(ImagePreprocessing.Pad)}.");
        return ProcessBatch(count, new ImageSize(height, width), resized);
    }

    private unsafe Tensor ProcessBatch(int count, ImageSize size, Func<int, int, RgbImage> resized)
    {
        var length = 3 * size.Height * size.Width;
        var batch = empty([count, 3, size.Height, size.Width], ScalarType.Float32);
        try
        {
            fixed (byte* bytes = batch.bytes)
            {
                var values = (nint)bytes;
                OrderedParallel.For(count, i => Normalize(resized(i, count == 1 ? int.MaxValue : 1), new Span<float>((float*)values + (long)i * length, length)));
            }
            return batch;
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The last steps for a batch of resized images, on the batch's device. The values equal those of
    /// <see cref="Normalize(RgbImage, Span{float})"/> bit for bit, so that training and scoring see the same.
    /// </summary>
    /// <param name="pixels">[B, 3, H, W] uint8, the planes that <see cref="RgbImage.CopyPlanes"/> writes.</param>
    /// <returns>[B, 3, H, W] float32, of the padded size.</returns>
    public Tensor Normalize(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var size = PaddedSize((int)pixels.size(2), (int)pixels.size(3));
        var table = tensor(_table, device: pixels.device);
        var rows = tensor(new[] { 0, 256, 512 }, device: pixels.device).view(1, 3, 1, 1);
        var values = table.index_select(0, pixels.to(ScalarType.Int32).Add(rows).flatten()).view(pixels.shape);
        var (bottom, right) = (size.Height - pixels.size(2), size.Width - pixels.size(3));
        RequireSizeOfMean(size);
        if (bottom > 0 || right > 0)
            values = nn.functional.pad(values, [0, right, 0, bottom]);
        if (_bgr)
            values = values.flip(1);
        if (_mean is not null)
            values -= tensor(_mean, device: pixels.device).view(3, size.Height, size.Width);
        return values.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Pads a resized image while it still consists of bytes. The padding is the byte whose normalized value is nearest to 0.
    /// </summary>
    public RgbImage PadBytes(RgbImage image)
    {
        var size = PaddedSize(image.Height, image.Width);
        if (size == new ImageSize(image.Height, image.Width))
            return image;
        var padded = RgbImage.Uninitialized(size.Width, size.Height);
        for (var i = 0; i < padded.Pixels.Length; i++)
            padded.Pixels[i] = _zero[i % 3];
        for (var y = 0; y < image.Height; y++)
            image.Row(y).CopyTo(padded.Row(y));
        return padded;
    }

    private ImageSize PaddedSize(int height, int width)
    {
        if (Settings.Pad is not { } pad)
            return new(height, width);
        if (pad.Height < height || pad.Width < width)
            throw new ImageDecodeException($"an image of {new ImageSize(height, width)} does not fit into the padded size of {pad}; resize it by its longest edge.");
        return pad;
    }

    private void RequireSizeOfMean(ImageSize size)
    {
        if (Settings.MeanImage is { } mean && size != new ImageSize(mean.Height, mean.Width))
            throw new ArgumentException($"The image is {size}, but the mean image that is subtracted from it {mean}.");
    }

    private static float[]? NormalizedMean(ImagePreprocessing settings)
    {
        if (settings.MeanImage is not { } mean)
            return null;
        var values = mean.Values.ToArray();
        if (settings.Normalization is { Std: var std })
        {
            var plane = mean.Height * mean.Width;
            var stds = settings.ChannelOrder == ChannelOrder.Bgr ? (float[])[std.Blue, std.Green, std.Red] : [std.Red, std.Green, std.Blue];
            for (var i = 0; i < values.Length; i++)
                values[i] /= stds[i / plane];
        }
        return values;
    }

    /// <summary>Rescales in double precision, rounds to float and normalizes in float, as Hugging Face's processors do.</summary>
    private static float[] NormalizationTable(ImagePreprocessing settings)
    {
        var table = new float[3 * 256];
        for (var value = 0; value < 256; value++)
        {
            var rescaled = (float)(value * settings.RescaleFactor);
            var (mean, std) = settings.Normalization is { } normalization ? (normalization.Mean, normalization.Std) : default;
            var plain = settings.Normalization is null;
            table[value] = plain ? rescaled : (rescaled - mean.Red) / std.Red;
            table[256 + value] = plain ? rescaled : (rescaled - mean.Green) / std.Green;
            table[512 + value] = plain ? rescaled : (rescaled - mean.Blue) / std.Blue;
        }
        return table;
    }
}

/// <summary>A parallel loop that fails as a sequential loop would: it throws the exception of the lowest index, and does not wrap it.</summary>
internal static class OrderedParallel
{
    public static void For(int count, Action<int> body)
    {
        if (count == 1)
        {
            body(0);
            return;
        }

        var errors = new Exception?[count];
        Parallel.For(0, count, (i, state) =>
        {
            try
            {
                body(i);
            }
            catch (Exception e)
            {
                errors[i] = e;
                state.Break(); // Lower indices still run: one of them may fail too, and its exception counts.
            }
        });
        if (Array.Find(errors, e => e is not null) is { } first)
            ExceptionDispatchInfo.Throw(first);
    }
}
