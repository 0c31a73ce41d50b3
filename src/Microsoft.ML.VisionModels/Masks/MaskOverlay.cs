using System.Drawing;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Masks;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// Draws masks over an image, each in its own color, and the points and boxes of their prompts. Smaller masks are drawn over larger ones, so
/// that none is hidden, as in Segment Anything's notebooks.
/// </summary>
/// <example>
/// <code>
/// var overlay = new MaskOverlay(image) { ContourWidth = 2 };
/// overlay.AddMask(mask);
/// overlay.AddPoint(500, 375);
/// overlay.Save("overlay.png");
/// </code>
/// </example>
public sealed class MaskOverlay
{
    private readonly RgbImage _image;
    private readonly List<RunLengthMask> _masks = [];
    private readonly List<(PointF Place, bool IsForeground)> _points = [];
    private readonly List<RectangleF> _boxes = [];

    /// <param name="image">The image, which is copied.</param>
    public MaskOverlay(MLImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        _image = ImageDecoder.FromMLImage(image);
    }

    /// <param name="path">The image's file. A photograph is turned upright, as <see cref="SamSession.SetImage(string)"/> turns it.</param>
    /// <exception cref="ImageDecodeException">The file cannot be read as an image.</exception>
    public MaskOverlay(string path) : this(ImageDecoder.Decode(path))
    {
    }

    internal MaskOverlay(RgbImage image) => _image = image;

    /// <summary>The opacity of a mask's color, from 0 to 1. Default 0.35.</summary>
    public double Opacity { get; set; } = 0.35;

    /// <summary>The width of the lines around masks, in pixels; 0, the default, draws none.</summary>
    public double ContourWidth { get; set; }

    /// <summary>Adds a mask. Its color depends only on how many masks were added before it.</summary>
    /// <exception cref="ArgumentException">The mask does not have the image's size.</exception>
    public void AddMask(RunLengthMask mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        if (mask.Height != _image.Height || mask.Width != _image.Width)
            throw new ArgumentException($"The mask is {mask.Height} x {mask.Width}, but the image is {_image.Height} x {_image.Width}.", nameof(mask));
        _masks.Add(mask);
    }

    /// <summary>Adds masks.</summary>
    /// <exception cref="ArgumentException">A mask does not have the image's size.</exception>
    public void AddMasks(IEnumerable<RunLengthMask> masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        foreach (var mask in masks)
            AddMask(mask);
    }

    /// <summary>Adds a point, drawn as a star: green where a mask should include it, red where it should not.</summary>
    /// <param name="x">Pixels from the left edge.</param>
    /// <param name="y">Pixels from the upper edge.</param>
    /// <param name="isForeground">Whether the mask should include the point. Default true.</param>
    public void AddPoint(float x, float y, bool isForeground = true) => _points.Add((new(x, y), isForeground));

    /// <summary>Adds a box, drawn in green.</summary>
    /// <param name="left">Pixels from the left edge.</param>
    /// <param name="top">Pixels from the upper edge.</param>
    /// <param name="right">Pixels from the left edge.</param>
    /// <param name="bottom">Pixels from the upper edge.</param>
    public void AddBox(float left, float top, float right, float bottom) => _boxes.Add(RectangleF.FromLTRB(left, top, right, bottom));

    /// <summary>The image with everything that was added. The caller disposes of it.</summary>
    public MLImage Draw()
    {
        using var canvas = Paint();
        return canvas.ToMLImage();
    }

    /// <summary>Writes the image with everything that was added as PNG, under a temporary name until it is complete.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var canvas = Paint();
        AtomicFile.Write(path, canvas.WritePng);
    }

    private OverlayCanvas Paint()
    {
        if (!(Opacity >= 0 && Opacity <= 1))
            throw new InvalidOperationException($"{nameof(Opacity)} is {Opacity}; it can be from 0 to 1.");
        if (!(ContourWidth >= 0))
            throw new InvalidOperationException($"{nameof(ContourWidth)} is {ContourWidth}; it can be from 0 on.");

        var canvas = new OverlayCanvas(_image);
        Tint(canvas.Pixels);
        if (ContourWidth > 0)
        {
            foreach (var (index, mask) in _masks.Index().OrderByDescending(entry => entry.Item.Area))
                canvas.DrawContours(mask.ToPolygons(), MaskPalette.Color(index), (float)ContourWidth);
        }
        foreach (var box in _boxes)
            canvas.DrawBox(box);
        foreach (var (place, isForeground) in _points)
            canvas.DrawStar(place, isForeground);
        return canvas;
    }

    /// <summary>Mixes each pixel, of four bytes, with the color of the mask on top.</summary>
    private void Tint(Span<byte> pixels)
    {
        var labels = LabelImage.Draw(_image.Height, _image.Width, _masks);
        (byte, byte, byte)[] colors = [.. Enumerable.Range(0, _masks.Count).Select(MaskPalette.Color).Select(color => (color.Red, color.Green, color.Blue))];
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == 0)
                continue;
            var pixel = pixels.Slice(4 * i, 3);
            var (red, green, blue) = colors[labels[i] - 1];
            (pixel[0], pixel[1], pixel[2]) = (Mix(pixel[0], red), Mix(pixel[1], green), Mix(pixel[2], blue));
        }

        byte Mix(byte image, byte color) => (byte)Math.Round(image + Opacity * (color - image));
    }
}
