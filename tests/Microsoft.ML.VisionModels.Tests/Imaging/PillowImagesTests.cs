using System.Buffers.Binary;
using Microsoft.ML.VisionModels.Imaging;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

/// <summary>The files of tests/Images come out as Pillow has them, see the NOTES.md there.</summary>
public class PillowImagesTests
{
    private static string Of(string name) => Path.Combine(TestFolders.Images, name);

    [Theory]
    [InlineData("exif6.jpg")]
    [InlineData("png6.png")]
    [InlineData("webp8.webp")]
    [InlineData("gif-whole.gif")]
    [InlineData("gif-transparent.gif")]
    [InlineData("gif-partial.gif")]
    [InlineData("gif-partial-transparent.gif")]
    [InlineData("gif-local-palette.gif")]
    [InlineData("gif-beyond.gif")]
    [InlineData("gif-ramp.gif")]
    public void FilesAreReadAsPillowReadsThem(string name) =>
        AssertSame(ImageDecoder.Decode(Of(Path.GetFileNameWithoutExtension(name) + ".rgb.png")), ImageDecoder.Decode(Of(name)));

    public static TheoryData<SKEncodedImageFormat, int, bool> ExifForms
    {
        get
        {
            var forms = new TheoryData<SKEncodedImageFormat, int, bool>();
            foreach (var format in (SKEncodedImageFormat[])[SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Png, SKEncodedImageFormat.Webp])
            {
                foreach (var type in (int[])[1, 3, 4, 6, 8, 9])
                {
                    forms.Add(format, type, true);
                    forms.Add(format, type, false);
                }
            }
            return forms;
        }
    }

    /// <summary>The tag as byte, short, long and the signed ones, in both byte orders, in each container.</summary>
    [Theory, MemberData(nameof(ExifForms))]
    public void EveryOrientationIsReadInEveryFormOfTheTag(SKEncodedImageFormat format, int type, bool littleEndian)
    {
        var file = TestImages.Encode(TestImages.Noise(10, 6), format, 100);
        var lying = ImageDecoder.Decode(file, "lying");
        for (var orientation = 1; orientation <= 8; orientation++)
            AssertSame(Turned(lying, orientation), ImageDecoder.Decode(WithExif(file, Exif(orientation, type, littleEndian), format), "turned"));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(9, 3)]
    [InlineData(6, 2)]      // text
    [InlineData(6, 5)]      // a fraction
    public void WhatIsNoOrientationTurnsNothing(int orientation, int type)
    {
        var file = TestImages.Encode(TestImages.Noise(10, 6), SKEncodedImageFormat.Png);
        AssertSame(ImageDecoder.Decode(file, "lying"), ImageDecoder.Decode(WithExif(file, Exif(orientation, type, true), SKEncodedImageFormat.Png), "turned"));
    }

    [Fact]
    public void DamagedExifTurnsNothing()
    {
        var file = TestImages.Encode(TestImages.Noise(10, 6), SKEncodedImageFormat.Jpeg, 100);
        var exif = Exif(6, 3, true);
        for (var length = 0; length < exif.Length; length++)
            ImageDecoder.Decode(WithExif(file, exif[..length], SKEncodedImageFormat.Jpeg), "cut");
        exif[4] = 0xff;     // a directory far behind the end
        exif[7] = 0xff;
        AssertSame(ImageDecoder.Decode(file, "lying"), ImageDecoder.Decode(WithExif(file, exif, SKEncodedImageFormat.Jpeg), "turned"));
    }

    [Theory]
    [InlineData("mode-rgba.png", "mode-rgba")]
    [InlineData("mode-rgba.webp", "mode-rgba-webp")]
    [InlineData("mode-la.png", "mode-la")]
    [InlineData("mode-palette.png", "mode-palette")]
    [InlineData("mode-bits.png", "mode-bits")]
    [InlineData("mode-gray.png", "mode-gray")]
    [InlineData("gif-transparent.gif", "mode-gif")]
    public void OpenAIsPreprocessingIsAsTheirs(string name, string expected)
    {
        var processor = new ImageProcessor(new() { Resize = new ImageResize.ShortestEdge(24), Filter = ResizeFilter.Bicubic, CenterCrop = 24, TorchvisionCrop = true, ConvertAfterResize = true });
        AssertSame(ImageDecoder.Decode(Of(expected + ".openai.png")), processor.ResizeAndCrop(ImageDecoder.Decode(Of(name), keepAlpha: true)));

        // The same through ML.NET's image, which is opaque.
        using var loaded = VisionImage.Load(Of(name));
        AssertSame(ImageDecoder.Decode(Of(expected + ".openai.png")), processor.ResizeAndCrop(ImageDecoder.FromMLImage(loaded)));
    }

    [Fact]
    public void OnlyOpenAIsPreprocessingDiffersByAlpha()
    {
        var settings = new ImagePreprocessing { Resize = new ImageResize.ShortestEdge(24), Filter = ResizeFilter.Bicubic, CenterCrop = 24 };
        var image = ImageDecoder.Decode(Of("mode-rgba.png"), keepAlpha: true);
        var plain = new ImageProcessor(settings).ResizeAndCrop(image);
        AssertSame(new ImageProcessor(settings).ResizeAndCrop(new RgbImage(image.Width, image.Height, image.Pixels)), plain);
        Assert.NotEqual(plain.Pixels, new ImageProcessor(settings with { ConvertAfterResize = true }).ResizeAndCrop(image).Pixels);
        Assert.Equal(settings with { ConvertAfterResize = true }, PreprocessorConfig.Read(System.Text.Json.JsonDocument.Parse((settings with { ConvertAfterResize = true }).ToHuggingFace()).RootElement));
    }

    [Theory]
    [InlineData(ResizeFilter.Nearest)]
    [InlineData(ResizeFilter.Lanczos)]
    [InlineData(ResizeFilter.Bilinear)]
    [InlineData(ResizeFilter.Bicubic)]
    [InlineData(ResizeFilter.Box)]
    [InlineData(ResizeFilter.Hamming)]
    public void OfALongImageOnlyWhatTheCropLeavesIsComputed(ResizeFilter filter)
    {
        var processor = new ImageProcessor(new() { Resize = new ImageResize.ShortestEdge(24), Filter = filter, CenterCrop = 24 });
        AssertSame(ImageDecoder.Decode(Of($"long.{filter.ToString().ToLowerInvariant()}.png")), processor.ResizeAndCrop(ImageDecoder.Decode(Of("long.png"))));
    }

    private static void AssertSame(RgbImage expected, RgbImage actual)
    {
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        Assert.Equal(expected.Pixels, actual.Pixels);
    }

    /// <summary>Where each pixel lies in the upright image, by what EXIF says of the first row and the first column.</summary>
    private static RgbImage Turned(RgbImage lying, int orientation)
    {
        var turned = orientation >= 5 ? new RgbImage(lying.Height, lying.Width) : new RgbImage(lying.Width, lying.Height);
        for (var row = 0; row < lying.Height; row++)
        {
            for (var column = 0; column < lying.Width; column++)
            {
                var (right, bottom) = (turned.Width - 1, turned.Height - 1);
                var (x, y) = orientation switch
                {
                    2 => (right - column, row),             // the first row at the top, the first column at the right
                    3 => (right - column, bottom - row),    // bottom, right
                    4 => (column, bottom - row),            // bottom, left
                    5 => (row, column),                     // the first row at the left, the first column at the top
                    6 => (right - row, column),             // right, top
                    7 => (right - row, bottom - column),    // right, bottom
                    8 => (row, bottom - column),            // left, bottom
                    _ => (column, row),
                };
                lying.Row(row).Slice(3 * column, 3).CopyTo(turned.Row(y)[(3 * x)..]);
            }
        }
        return turned;
    }

    /// <summary>A TIFF directory that holds the camera's name, a text, and the orientation.</summary>
    private static byte[] Exif(int orientation, int type, bool littleEndian)
    {
        byte[] value = type switch
        {
            3 or 8 => [.. Number(orientation, 2), 0, 0],
            4 or 9 => Number(orientation, 4),
            _ => [(byte)orientation, 0, 0, 0],
        };
        return
        [
            .. littleEndian ? "II"u8 : "MM"u8, .. Number(42, 2), .. Number(8, 4), .. Number(2, 2),
            .. Number(0x010f, 2), .. Number(2, 2), .. Number(3, 4), .. "ab\0\0"u8,
            .. Number(0x0112, 2), .. Number(type, 2), .. Number(1, 4), .. value,
            .. Number(0, 4),
        ];

        byte[] Number(int number, int length)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
            return littleEndian ? bytes[..length] : [.. bytes[..length].Reverse()];
        }
    }

    /// <summary>The file with an EXIF block, after its header or, in WebP, at its end.</summary>
    private static byte[] WithExif(byte[] file, byte[] exif, SKEncodedImageFormat format)
    {
        switch (format)
        {
            case SKEncodedImageFormat.Jpeg:
                var segment = (byte[])[.. "Exif\0\0"u8, .. exif];
                return [.. file[..2], 0xff, 0xe1, (byte)((segment.Length + 2) >> 8), (byte)(segment.Length + 2), .. segment, .. file[2..]];
            case SKEncodedImageFormat.Png:
                return [.. file[..33], .. BigEndian(exif.Length), .. "eXIf"u8, .. exif, .. BigEndian((int)TestImages.PngChecksum([.. "eXIf"u8, .. exif])), .. file[33..]];
            default:
                // The simple form becomes the extended one, with the size of the image, 10 x 6, less one.
                var chunk = (byte[])[.. "VP8X"u8, 10, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 5, 0, 0, .. file[12..], .. "EXIF"u8, (byte)exif.Length, 0, 0, 0, .. exif, .. exif.Length % 2 == 1 ? (byte[])[0] : []];
                var length = new byte[4];
                BinaryPrimitives.WriteInt32LittleEndian(length, chunk.Length + 4);
                return [.. "RIFF"u8, .. length, .. "WEBP"u8, .. chunk];
        }
    }

    private static byte[] BigEndian(int number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }
}
