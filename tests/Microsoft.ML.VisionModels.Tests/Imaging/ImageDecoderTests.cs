using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

public class ImageDecoderTests
{
    // What Pillow makes of the shared photographs: of the SHA-256 of a file, or of all files of a folder, that of the pixels.
    private static readonly Dictionary<string, string> s_pillows = new()
    {
        ["88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"] = "a8c429c18afa7b0fd5673e598d73a21225d94c864a71bbb3885126fdecb41071",
        ["1a1dd18d78eec44420af3b0b7f08ee3d41c982916cae3ce203d7ff35d754cc0f"] = "b09de65bfb12908e6fe314635a8294c250f70843afad1f183410b4184e77d80c",
        ["8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29"] = "e701459344fd69797154c91add3bb5d70e5ed1a61d8bed889bab3a796104698d",
        ["cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"] = "0ce2b51640b9c95f19617f03eabf40c3f0368589cc1ee1190b70966165ac184f",
        ["a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638"] = "3202904ed246795bf616c66d7859cd7c6080eff736c6e38dc5cc62779742033f",
        ["9c031d80a1c52da5eca790db896baffec6a7e52bf786cdb7bbfca5c7f880e6a1"] = "0c0456e454898ef6b32332b7a7ef14ed141c700f289f16a28753c0b537b145f5",
        ["20bb6e8ae96918a36c9886b6d48e54eedeb3948591e1485c206bc1dc60c8dc8b"] = "ba7ed1b221888ba212544bb1802480ae487f0be5a395c4c53adacb8b1f02c9bb",
        ["52d5aed9d65ad391dfa21d8e2ac261fbb6e0eb07a8bd76d568ff3240a8ce41fe"] = "d0a6dcd23769843739172617e78e214e446dfc360c52708a394ed5dde8e051b9",
    };

    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Webp)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    public void FormatsAreKnownByTheirContent(SKEncodedImageFormat format)
    {
        var image = TestImages.Noise(13, 7);
        var decoded = ImageDecoder.Decode(TestImages.Encode(image, format, 100), "noise");
        Assert.Equal((13, 7), (decoded.Width, decoded.Height));
        if (format == SKEncodedImageFormat.Png)
            Assert.Equal(image.Pixels, decoded.Pixels);
    }

    [Fact]
    public void AlphaIsDroppedAndNotMultiplied()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(1, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.SetPixel(0, 0, new SKColor(200, 100, 50, 10));
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        Assert.Equal([200, 100, 50], ImageDecoder.Decode(data.ToArray(), "alpha").Pixels);
    }

    /// <summary>A photograph's first row and column, as EXIF says where they are, against where the top left corner comes to lie.</summary>
    [Theory]
    [InlineData(1, 16, 8, 0, 0)]
    [InlineData(2, 16, 8, 1, 0)]
    [InlineData(3, 16, 8, 1, 1)]
    [InlineData(4, 16, 8, 0, 1)]
    [InlineData(5, 8, 16, 0, 0)]
    [InlineData(6, 8, 16, 1, 0)]
    [InlineData(7, 8, 16, 1, 1)]
    [InlineData(8, 8, 16, 0, 1)]
    public void PhotographsStandUpright(byte orientation, int width, int height, int right, int bottom)
    {
        var image = new RgbImage(16, 8);
        for (var y = 0; y < 4; y++)
            image.Row(y)[..12].Fill(255); // the top left corner is white

        var decoded = ImageDecoder.Decode(WithOrientation(TestImages.Encode(image, SKEncodedImageFormat.Jpeg, 100), orientation), "photo");

        Assert.Equal((width, height), (decoded.Width, decoded.Height));
        var (cornerX, cornerY) = (right * (width - 1), bottom * (height - 1));
        Assert.True(decoded.Row(cornerY)[3 * cornerX] > 200);
        Assert.True(decoded.Row(height - 1 - cornerY)[3 * (width - 1 - cornerX)] < 50);
        Assert.True(decoded.Row(cornerY)[3 * (width - 1 - cornerX)] < 50);
        Assert.True(decoded.Row(height - 1 - cornerY)[3 * cornerX] < 50);
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void TruncatedFilesAreNamed(SKEncodedImageFormat format)
    {
        using var folder = TestFolders.Temporary();
        var encoded = TestImages.Encode(TestImages.Noise(64, 64), format);
        foreach (var length in new[] { encoded.Length / 2, 20, 3 })
        {
            File.WriteAllBytes(folder.File("half.img"), encoded[..length]);
            var error = Assert.Throws<ImageDecodeException>(() => ImageDecoder.Decode(folder.File("half.img")));
            Assert.Equal(folder.File("half.img"), error.FilePath);
            Assert.Contains("half.img", error.Message);
        }
    }

    [Fact]
    public void FilesThatAreNoImagesAreNamedWithTheReason()
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File("empty.png"), "");
        File.WriteAllText(folder.File("text.png"), "This is no image at all.");

        Assert.Contains("empty", Reason("empty.png"));
        Assert.Contains("format", Reason("text.png"));
        Assert.Contains("no such file", Reason("missing.png"));
        Assert.Contains("no such file", Reason("nowhere/missing.png"));
        Assert.NotEmpty(Reason("."));

        string Reason(string name)
        {
            var error = Assert.Throws<ImageDecodeException>(() => ImageDecoder.Decode(folder.File(name)));
            Assert.Equal(folder.File(name), error.FilePath);
            return error.Reason;
        }
    }

    [Fact]
    public void AHeaderThatClaimsTooManyPixelsIsRefused()
    {
        // A BMP of 24 bits a pixel that ends after its header.
        var bmp = new byte[54];
        "BM"u8.CopyTo(bmp);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(10), 54);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(14), 40);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(18), 30_000);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(22), 30_000);
        bmp[26] = 1;
        bmp[28] = 24;

        Assert.Contains("30000 x 30000", Assert.Throws<ImageDecodeException>(() => ImageDecoder.Decode(bmp, "bomb")).Message);
    }

    [Fact]
    public void MLImagesGoThereAndBack()
    {
        var image = TestImages.Noise(5, 4);
        using var mlImage = ImageDecoder.ToMLImage(image);
        Assert.Equal(image.Pixels, ImageDecoder.FromMLImage(mlImage).Pixels);

        using var bgra = MLImage.CreateFromPixels(1, 1, MLPixelFormat.Bgra32, [30, 20, 10, 255]);
        Assert.Equal([10, 20, 30], ImageDecoder.FromMLImage(bgra).Pixels);
    }

    [Fact]
    public void ColorsThatMLNetMultipliedWithAlphaAreDividedAgain()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(1, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.SetPixel(0, 0, new SKColor(200, 100, 50, 128));
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        using var loaded = MLImage.CreateFromStream(data.AsStream());

        foreach (var (value, expected) in ImageDecoder.FromMLImage(loaded).Pixels.Zip([200, 100, 50]))
            Assert.InRange(value, expected - 1, expected + 1);

        // Colors above alpha cannot have been multiplied with it.
        using var straight = MLImage.CreateFromPixels(1, 1, MLPixelFormat.Rgba32, [200, 100, 50, 128]);
        Assert.Equal([200, 100, 50], ImageDecoder.FromMLImage(straight).Pixels);
    }

    /// <summary>Of other images than these it is only seen that they are decoded.</summary>
    [Theory]
    [Trait("Category", "RealData")]
    [Trait("Family", "Imaging")]
    [InlineData("photos")]
    [InlineData("vit-tiny-imagenet/images")]
    public void RealImagesDecodeAsPillowDecodesThem(string folder)
    {
        var all = (Files: new MemoryStream(), Pixels: new MemoryStream());
        foreach (var file in TestImages.In(TestFolders.Data(folder)))
        {
            var (encoded, pixels) = (File.ReadAllBytes(file), ImageDecoder.Decode(file).Pixels);
            AssertPillows(file, encoded, pixels);
            all.Files.Write(encoded);
            all.Pixels.Write(pixels);
        }
        Assert.NotEqual(0, all.Pixels.Length);
        AssertPillows(folder, all.Files.ToArray(), all.Pixels.ToArray());

        static void AssertPillows(string name, byte[] encoded, byte[] pixels)
        {
            if (s_pillows.TryGetValue(Hash(encoded), out var expected))
                Assert.True(expected == Hash(pixels), name);
        }

        static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    /// <summary>The JPEG with an EXIF segment that holds nothing but the orientation.</summary>
    private static byte[] WithOrientation(byte[] jpeg, byte orientation) =>
    [
        .. jpeg.AsSpan(0, 2), 0xFF, 0xE1, 0, 34, .. "Exif\0\0"u8, .. "MM\0*"u8, 0, 0, 0, 8, 0, 1,
        0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0, .. jpeg.AsSpan(2),
    ];
}
