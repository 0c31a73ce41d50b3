using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Fuzz.Readers;

/// <summary>Images in every format that is read, masks among them.</summary>
internal sealed class ImageReader : Reader
{
    public override string Name => "image";

    public override IReadOnlyList<Type> Documented => [typeof(ImageDecodeException)];

    public override void Prepare(string folder)
    {
        foreach (var name in new[] { "gray.png", "palette.png", "rgb.png", "rgba.png" })
            Copy(folder, name, TestFile("Golden", "image-processing", name));
        using var bitmap = SKBitmap.Decode(TestFile("Golden", "image-processing", "rgb.png"));
        foreach (var format in new[] { SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Webp })
        {
            using var data = bitmap.Encode(format, 80);
            Write(folder, $"image.{format}".ToLowerInvariant(), data.ToArray());
        }
        Write(folder, "image.gif", [.. "GIF89a"u8, 2, 0, 2, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2C, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 3, 0x44, 0x02, 0x05, 0, 0x3B]);
        Write(folder, "image.bmp",
        [
            .. "BM"u8, 70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 24, 0, 0, 0, 0, 0, 16, 0, 0, 0, .. new byte[16],
            255, 0, 0, 0, 255, 0, 0, 0, 0, 0, 255, 9, 9, 9, 0, 0,
        ]);
    }

    public override void Read(string folder) => ImageDecoder.Decode(FileOf(folder));

    private static void Write(string folder, string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.Combine(folder, name));
        File.WriteAllBytes(Path.Combine(folder, name, name), bytes);
    }
}

/// <summary>Settings of preprocessing.</summary>
internal sealed class PreprocessorReader : Reader
{
    public override string Name => "preprocessor config";

    public override IReadOnlyList<Type> Documented => [typeof(FormatException), typeof(CheckpointException)];

    public override void Prepare(string folder)
    {
        foreach (var file in Directory.GetFiles(TestFile("Golden", "image-processing"), "*.preprocessor_config.json"))
            Copy(folder, Path.GetFileName(file), file);
    }

    public override void Read(string folder) => ImagePreprocessing.FromHuggingFace(InputFile.ReadJson(FileOf(folder)));
}
