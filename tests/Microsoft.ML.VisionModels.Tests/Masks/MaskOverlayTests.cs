using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Masks;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Tests.Masks;

[Trait("Family", "Sam")]
public class MaskOverlayTests
{
    private static readonly RunLengthMask Small = Square(20, 20, 5), Large = Square(10, 10, 40);

    [Fact]
    public void SmallMasksLieOnLargeOnes()
    {
        foreach (var masks in new[] { new[] { Small, Large }, [Large, Small] })
        {
            var labels = LabelImage.Draw(60, 80, masks);
            Assert.Equal(Array.IndexOf(masks, Small) + 1, labels[22 * 80 + 22]);
            Assert.Equal(Array.IndexOf(masks, Large) + 1, labels[12 * 80 + 12]);
            Assert.Equal(0, labels[0]);
            Assert.Equal([25, 1600 - 25], masks.Order(Comparer<RunLengthMask>.Create((a, b) => a.Area - b.Area)).Select(mask => labels.Count(label => label == Array.IndexOf(masks, mask) + 1)));
        }
        Assert.Contains("Mask 0", Assert.Throws<ArgumentException>(() => LabelImage.Draw(60, 81, [Small])).Message);
        Assert.Equal(new int[6], LabelImage.Draw(2, 3, []));
    }

    [Fact]
    public void NumbersAreReadBackFromAPng()
    {
        using var folder = TestFolders.Temporary();
        RunLengthMask[] masks = [.. Enumerable.Range(0, 300).Select(i => RunLengthMask.FromCounts(10, 30, i == 0 ? [0, 1, 299] : [i, 1, 299 - i]))];
        LabelImage.Save(folder.File("labels.png"), 10, 30, masks);
        var png = File.ReadAllBytes(folder.File("labels.png"));
        Assert.Equal([16, 0, 0, 0, 0], png[24..29]);    // bits a pixel, gray, and no interlacing
        var size = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(33));
        using var zlib = new ZLibStream(new MemoryStream(png, 41, size), CompressionMode.Decompress);
        var rows = new byte[10 * 61];
        zlib.ReadExactly(rows);
        Assert.Equal(LabelImage.Draw(10, 30, masks), rows.Chunk(61).SelectMany(row => row[1..].Chunk(2).Select(value => (value[0] << 8) + value[1])));

        // A decoder checks the sums of all chunks; SkiaSharp's leaves the upper half of each number.
        var image = ImageDecoder.Decode(folder.File("labels.png"));
        Assert.Equal((30, 10), (image.Width, image.Height));
        Assert.Equal(masks.Length - 255, image.Pixels.Count(value => value == 1) / 3);
    }

    [Fact]
    public void EachMaskIsMixedWithTheImage()
    {
        var image = new RgbImage(80, 60, [.. Enumerable.Repeat((byte)100, 3 * 80 * 60)]);
        var overlay = new MaskOverlay(image) { Opacity = 0.5 };
        overlay.AddMasks([Small, Large]);
        var drawn = Drawn(overlay);
        Assert.Equal([100, 100, 100], Pixel(drawn, 0, 0));
        Assert.Equal(Mixed(MaskPalette.Color(0)), Pixel(drawn, 22, 22));
        Assert.Equal(Mixed(MaskPalette.Color(1)), Pixel(drawn, 12, 12));
        Assert.All(image.Pixels, value => Assert.Equal(100, value));
        Assert.Equal(drawn.Pixels, Drawn(overlay).Pixels);

        static byte[] Mixed(SKColor color) => [.. new[] { color.Red, color.Green, color.Blue }.Select(value => (byte)Math.Round(100 + 0.5 * (value - 100)))];
    }

    [Fact]
    public void ContoursPointsAndBoxesAreSeen()
    {
        var overlay = new MaskOverlay(new RgbImage(80, 60)) { Opacity = 0, ContourWidth = 2 };
        overlay.AddMask(Large);
        overlay.AddPoint(30, 30);
        overlay.AddPoint(60, 30, isForeground: false);
        overlay.AddBox(4, 4, 76, 56);
        var drawn = Drawn(overlay);
        var color = MaskPalette.Color(0);
        Assert.Equal([color.Red, color.Green, color.Blue], Pixel(drawn, 25, 10));
        Assert.Equal([0, 0, 0], Pixel(drawn, 20, 20));
        Assert.True(Pixel(drawn, 30, 30) is [< 50, > 150, < 50]);
        Assert.True(Pixel(drawn, 60, 30) is [> 150, < 50, < 50]);
        Assert.True(Pixel(drawn, 40, 4) is [< 50, > 150, < 50]);
        Assert.Equal([0, 0, 0], Pixel(drawn, 1, 1));
    }

    [Fact]
    public void IsSavedAsItIsDrawn()
    {
        using var folder = TestFolders.Temporary();
        using var image = ImageDecoder.ToMLImage(new RgbImage(80, 60));
        var overlay = new MaskOverlay(image) { ContourWidth = 1.5 };
        overlay.AddMask(Large);
        overlay.Save(folder.File("overlay.png"));
        using var drawn = overlay.Draw();
        Assert.Equal(ImageDecoder.FromMLImage(drawn).Pixels, ImageDecoder.Decode(folder.File("overlay.png")).Pixels);

        Assert.Contains("1 x 1", Assert.Throws<ArgumentException>(() => overlay.AddMask(RunLengthMask.FromCounts(1, 1, [1]))).Message);
        overlay.Opacity = 2;
        Assert.Contains("Opacity is 2", Assert.Throws<InvalidOperationException>(overlay.Draw).Message);
    }

    [Fact]
    public void ColorsAreToldApart()
    {
        SKColor[] colors = [.. Enumerable.Range(0, 24).Select(MaskPalette.Color)];
        for (var i = 0; i < colors.Length; i++)
        {
            foreach (var other in colors[..i])
                Assert.True(Math.Abs(colors[i].Red - other.Red) + Math.Abs(colors[i].Green - other.Green) + Math.Abs(colors[i].Blue - other.Blue) > 25);
        }
    }

    private static RunLengthMask Square(int left, int top, int side) =>
        RunLengthMask.FromPixels(60, 80, [.. Enumerable.Range(0, 60 * 80).Select(i => i % 80 >= left && i % 80 < left + side && i / 80 >= top && i / 80 < top + side)]);

    private static RgbImage Drawn(MaskOverlay overlay)
    {
        using var image = overlay.Draw();
        return ImageDecoder.FromMLImage(image);
    }

    private static byte[] Pixel(RgbImage image, int x, int y) => image.Pixels.AsSpan(3 * (y * image.Width + x), 3).ToArray();
}
