namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>An image in memory: interleaved RGB, three bytes a pixel, rows from top to bottom without padding.</summary>
internal sealed class RgbImage
{
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (pixels.LongLength != 3L * width * height)
            throw new ArgumentException($"An image of {width} x {height} has {3L * width * height} bytes, not {pixels.LongLength}.", nameof(pixels));
        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>A black image.</summary>
    public RgbImage(int width, int height) : this(width, height, new byte[checked(3 * width * height)])
    {
    }

    public int Width { get; }

    public int Height { get; }

    public byte[] Pixels { get; }

    /// <summary>The alpha of each pixel, where the file has some and it was to be kept; the colors are as they were in the file. Only <see cref="ImagePreprocessing.ConvertAfterResize"/> asks for it.</summary>
    public byte[]? Alpha { get; init; }

    /// <summary>Whether the file has a palette, or one bit a pixel. Only <see cref="ImagePreprocessing.ConvertAfterResize"/> asks for it.</summary>
    public bool HasPalette { get; init; }

    public Span<byte> Row(int y) => Pixels.AsSpan(3 * Width * y, 3 * Width);

    /// <summary>An image with arbitrary pixels, for callers that write all of them.</summary>
    public static RgbImage Uninitialized(int width, int height) =>
        new(width, height, GC.AllocateUninitializedArray<byte>(checked(3 * width * height)));

    /// <summary>
    /// The window of the given size whose top left corner is at (<paramref name="left"/>, <paramref name="top"/>);
    /// what lies outside the image is black.
    /// </summary>
    public RgbImage Window(int left, int top, int width, int height)
    {
        if (left == 0 && top == 0 && width == Width && height == Height)
            return this;

        var window = new RgbImage(width, height);
        var (firstX, lastX) = (Math.Max(left, 0), Math.Min(left + width, Width));
        var (firstY, lastY) = (Math.Max(top, 0), Math.Min(top + height, Height));
        if (firstX < lastX)
        {
            for (var y = firstY; y < lastY; y++)
                Row(y)[(3 * firstX)..(3 * lastX)].CopyTo(window.Row(y - top)[(3 * (firstX - left))..]);
        }
        return window;
    }

    /// <summary>Puts an image over a part of this one, which it must fit into.</summary>
    public void Paste(RgbImage image, int left, int top)
    {
        for (var y = 0; y < image.Height; y++)
            image.Row(y).CopyTo(Row(top + y)[(3 * left)..]);
    }

    /// <summary>Writes the pixels as three planes, [3, height, width].</summary>
    public void CopyPlanes(Span<byte> chw)
    {
        var plane = Width * Height;
        var red = chw[..plane];
        var green = chw.Slice(plane, plane);
        var blue = chw.Slice(2 * plane, plane);
        var pixels = Pixels.AsSpan(0, 3 * plane);
        for (var i = 0; i < plane; i++)
        {
            var pixel = pixels.Slice(3 * i, 3);
            red[i] = pixel[0];
            green[i] = pixel[1];
            blue[i] = pixel[2];
        }
    }
}
