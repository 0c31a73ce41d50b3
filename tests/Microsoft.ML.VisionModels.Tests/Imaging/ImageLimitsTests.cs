using System.Diagnostics;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Contract;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

/// <summary>What an image, or what is none, may cost.</summary>
public sealed class ImageLimitsTests(FittedModels models) : IDisposable
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    public void Dispose() => _folder.Dispose();

    private static string Bomb => Path.Combine(TestFolders.Images, "bomb.jpg");

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Gif)]
    public void AFileThatIsTooSmallForItsClaimIsRefused(SKEncodedImageFormat format)
    {
        var file = format switch
        {
            SKEncodedImageFormat.Jpeg => File.ReadAllBytes(Bomb),
            SKEncodedImageFormat.Png => Claim(13_000, 13_000),
            _ => GifOfOneColor(13_000, 13_000)[..20_000],
        };
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<ImageDecodeException>(() => ImageDecoder.Decode(file, "bomb"));
        Assert.Contains("truncated", error.Reason);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    /// <summary>The smallest files that there are of one color are not taken for bombs.</summary>
    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Webp)]
    [InlineData(SKEncodedImageFormat.Gif)]
    public void ALargeImageOfOneColorIsRead(SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(3000, 2000, SKColorType.Gray8, SKAlphaType.Opaque));
        using var data = bitmap.Encode(format, 1);
        var pixels = ImageDecoder.Decode(data?.ToArray() ?? GifOfOneColor(3000, 2000), "one color").Pixels;
        Assert.Equal(3 * 3000 * 2000, pixels.Length);
        Assert.False(pixels.AsSpan().ContainsAnyExcept(pixels[0]));
    }

    [Fact]
    public async Task ImagesWaitForEachOthersMemory()
    {
        var limit = ImageMemory.Limit;
        try
        {
            ImageMemory.Limit = 0;      // one after the other
            var file = TestImages.Encode(TestImages.Noise(50, 40), SKEncodedImageFormat.Png);
            var (at, most) = (0, 0);
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => ImageDecoder.Decode(file, "one", image =>
            {
                most = Math.Max(most, Interlocked.Increment(ref at));
                Thread.Sleep(20);
                Interlocked.Decrement(ref at);
                return image;
            }), TestContext.Current.CancellationToken)));
            Assert.Equal(1, most);
        }
        finally
        {
            ImageMemory.Limit = limit;
        }
    }

    /// <summary>Batches end early, and images are decoded one after the other.</summary>
    [Theory, EveryEstimator(Only = nameof(EstimatorCase.ReadsImages))]
    public void LittleMemoryGivesTheSameScores(string estimator)
    {
        var context = new MLContext();
        foreach (var data in (IDataView[])[ContractData.Images(context, 7), ContractData.Paths(context, ContractData.Save(_folder, 7))])
        {
            var expected = ContractData.Scores(models[estimator], data);
            var limit = ImageMemory.Limit;
            try
            {
                ImageMemory.Limit = 1;
                ContractData.AssertClose(expected, ContractData.Scores(models[estimator], data));
            }
            finally
            {
                ImageMemory.Limit = limit;
            }
        }
    }

    [Fact]
    public void MegabytesInFlightAreAdjustable()
    {
        Assert.Equal(Limits.ImageMegabytesInFlight, VisionImage.MegabytesInFlight);
        Assert.Throws<ArgumentOutOfRangeException>(() => VisionImage.MegabytesInFlight = 0);
    }

    /// <summary>The weights of such an image, and the rows between the passes, would take many times its own memory.</summary>
    [Theory]
    [InlineData(2_000_000, 1)]
    [InlineData(1, 2_000_000)]
    public void ALineIsResizedInParts(int width, int height)
    {
        var image = new RgbImage(width, height);
        for (var i = 0; i < image.Pixels.Length; i++)
            image.Pixels[i] = (byte)(i / 3 * 200L / (width * (long)height));
        var (axis, other) = width > height ? (16, 2) : (2, 16);
        var resized = PillowResize.Resize(image, axis, other, ResizeFilter.Bicubic);
        for (var i = 0; i < 16; i++)    // a slope stays a slope
            Assert.InRange(width > height ? resized.Row(0)[3 * i] : resized.Row(i)[0], (25 * i / 2) + 4, (25 * i / 2) + 9);
    }

    [Fact]
    public void PartsOfAResizeAreTheWhole()
    {
        var image = TestImages.Noise(97, 61);
        foreach (var filter in Enum.GetValues<ResizeFilter>())
        {
            foreach (var (width, height) in ((int, int)[])[(31, 83), (97, 20), (40, 61), (97, 61)])
            {
                var whole = PillowResize.Resize(image, width, height, filter);
                var window = new PixelWindow(5, 3, 23, 11);
                Assert.Equal(whole.Window(5, 3, 23, 11).Pixels, PillowResize.Resize(image, width, height, filter, window: window).Pixels);
            }
        }
    }

    [Theory]
    [InlineData("/dev/zero")]
    [InlineData("/dev/urandom")]
    [InlineData("/proc/self/mem")]
    public void ADeviceIsRefusedAtOnce(string path)
    {
        Assert.SkipUnless(File.Exists(path), $"There is no {path} here.");
        AssertRefused(path);
        File.CreateSymbolicLink(_folder.File("link.jpg"), path);
        AssertRefused(_folder.File("link.jpg"));
    }

    [Fact]
    public void APipeAndLinksThatLeadNowhereAreRefusedAtOnce()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Named pipes are no files on Windows.");
        using (var mkfifo = Process.Start("mkfifo", _folder.File("pipe.png")))
            mkfifo.WaitForExit();
        AssertRefused(_folder.File("pipe.png"));

        File.CreateSymbolicLink(_folder.File("self.png"), _folder.File("self.png"));
        AssertRefused(_folder.File("self.png"));
        File.CreateSymbolicLink(_folder.File("gone.png"), _folder.File("nothing.png"));
        AssertRefused(_folder.File("gone.png"));
        AssertRefused(_folder.Path);
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 132735\n", "Git LFS")]
    [InlineData("II*\0\b\0\0\0", "TIFF")]
    [InlineData("\0\0\0\u0018ftypheic\0\0\0\0", "HEIC")]
    [InlineData("\0\0\0\u0018ftypavif\0\0\0\0", "AVIF")]
    [InlineData("8BPS\0\u0001", "PSD")]
    [InlineData("\0\0\0\fjP  \r\n", "JPEG 2000")]
    [InlineData("<!DOCTYPE html><html>", "HTML")]
    public void WhatAFileIsInsteadIsSaid(string content, string expected)
    {
        var bytes = content.Select(character => (byte)character).ToArray();
        Assert.Contains(expected, Assert.Throws<ImageDecodeException>(() => ImageDecoder.Decode(bytes, "bytes")).Reason);
        File.WriteAllBytes(_folder.File("x.png"), bytes);
        Assert.Contains(expected, Assert.Throws<ImageDecodeException>(() => ImageDecoder.Decode(_folder.File("x.png"))).Reason);
    }

    [Theory]
    [InlineData("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "data URI")]
    [InlineData("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64")]
    [InlineData("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64")]
    [InlineData("https://example.com/photos/rose.jpg", "web address")]
    [InlineData("file:///home/me/rose.jpg", "URI")]
    public void WhatIsNoPathIsToldOnceAndShortened(string text, string expected)
    {
        text += text.Length > 80 ? new string('A', 9000) : "";
        var error = Assert.Throws<ImageDecodeException>(() => ImageDecoder.Decode(text));
        Assert.Contains(expected, error.Reason);
        var printed = error.AtRow(3).ToString();
        Assert.InRange(printed.Length, 0, 4000);
        Assert.Single(printed.Split(text[..Math.Min(40, text.Length)]).Skip(1));
    }

    private static void AssertRefused(string path)
    {
        var clock = Stopwatch.StartNew();
        var error = Assert.Throws<ImageDecodeException>(() => ImageDecoder.Decode(path));
        Assert.Equal(path, error.FilePath);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    /// <summary>As small as a GIF can be: each LZW code stands for one pixel more than the one before, and the last of the table is repeated.</summary>
    private static byte[] GifOfOneColor(int width, int height)
    {
        const int Clear = 4, End = 5, Table = 4096;
        var (bits, filled, codes) = (0, 0, new List<byte>());
        var (size, next) = (3, End + 1);
        Write(Clear);
        Write(0);
        for (var left = width * height - 1; left > 0; )
        {
            // The longest string of the table, its newest one, that the pixels have room for; that of code k is k - End + 1 pixels long.
            var code = Math.Min(Math.Min(next, Table - 1), left + End - 1);
            Write(code == End ? 0 : code);
            left -= Math.Max(1, code - End + 1);
            if (next < Table && ++next == 1 << size && size < 12)
                size++;
        }
        Write(End);
        if (filled > 0)
            codes.Add((byte)bits);
        byte[] header = [.. "GIF89a"u8, .. Short(width), .. Short(height), 0x80, 0, 0, 10, 10, 10, 40, 50, 60, (byte)',', 0, 0, 0, 0, .. Short(width), .. Short(height), 0, 2];
        return [.. header, .. codes.Chunk(255).SelectMany(block => block.Prepend((byte)block.Length)), 0, (byte)';'];

        void Write(int code)
        {
            bits |= code << filled;
            for (filled += size; filled >= 8; filled -= 8, bits >>= 8)
                codes.Add((byte)bits);
        }

        static byte[] Short(int number) => [(byte)number, (byte)(number >> 8)];
    }

    /// <summary>A PNG that ends after its header.</summary>
    private static byte[] Claim(int width, int height)
    {
        var png = TestImages.Encode(TestImages.Noise(1, 1), SKEncodedImageFormat.Png);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), TestImages.PngChecksum(png.AsSpan(12, 17)));
        return png;
    }
}
