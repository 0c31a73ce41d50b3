using Microsoft.ML.VisionModels.Families.SelfSupervised;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Training;
using Samples;
using SkiaSharp;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// Draws the pictures of docs/self-supervised.md: for each method the views that it makes of a photograph, with what it compares them
/// with; and what a masked autoencoder, taught the digits of the samples, paints into the patches that it does not see.
/// </summary>
internal static class SslPictures
{
    private const int Side = 224, Columns = 6;

    public static void Run(BenchArguments arguments)
    {
        var photos = arguments.Place("images", "photos");
        var pictures = Path.Combine(Repository.Bench, "..", "docs", "images");
        var (image, other) = (Open(Path.Combine(photos, "astronaut.png")), Open(Path.Combine(photos, "coffee.png")));
        foreach (var method in new[] { SslMethod.SimClr, SslMethod.Byol, SslMethod.Dino })
            ContactSheet.Write(Tiles(method, image, other), Path.Combine(pictures, $"ssl-{method.ToString().ToLowerInvariant()}.png"), Columns);
        ContactSheet.Write(Digits(arguments.Number("epochs", 40)), Path.Combine(pictures, "ssl-mae.png"), Columns);
    }

    private static List<ContactSheet.Tile> Tiles(SslMethod method, Tensor image, Tensor other)
    {
        using var generator = new Generator(4);
        var maker = SslViewMaker.Of(new SslFeaturizerOptions { Method = method }, Side, 16);
        var (whole, local) = maker.Make(stack([image, other]), generator);      // [2, V, 3, H, W], [2, L, 3, h, w]
        return method switch
        {
            SslMethod.SimClr =>
            [
                Tile(image, "an image"), Tile(whole[0, 0], "a view of it"), Tile(whole[0, 1], "another of it", "shall be alike"),
                Tile(other, "another image"), Tile(whole[1, 0], "its view", "shall be unlike"), Tile(whole[1, 1], "its view", "shall be unlike"),
            ],
            SslMethod.Byol =>
            [
                Tile(image, "an image"), Tile(whole[0, 0], "one view", "from it is predicted"), Tile(whole[0, 1], "the other", "what target sees"),
                Tile(other, "another image"), Tile(whole[1, 1], "one view", "from it is predicted"), Tile(whole[1, 0], "the other", "what target sees"),
            ],
            _ =>
            [
                Tile(image, "an image"), Tile(whole[0, 0], "a large view", "teacher and student"), Tile(whole[0, 1], "a large view", "teacher and student"),
                Tile(local![0, 0], "a small view", "the student alone"), Tile(local[0, 1], "a small view", "the student alone"), Tile(local[0, 2], "a small view", "the student alone"),
            ],
        };
    }

    /// <summary>A digit, what is seen of it, and what is painted, three digits a row of tiles.</summary>
    private static List<ContactSheet.Tile> Digits(int epochs)
    {
        var context = new MLContext(1);
        var folder = Samples.Digits.Unpack(Directory.CreateTempSubdirectory().FullName);
        var painter = new Painter(Directory.GetDirectories(folder).Order(StringComparer.Ordinal).Take(6).Select(digit => Directory.GetFiles(digit).Order(StringComparer.Ordinal).Last()).ToArray());
        using var model = context.Transforms.SslFeaturizer(new SslFeaturizerOptions
        {
            Method = SslMethod.Mae, Backbone = SslBackbone.ViTSmallImage, ImageSize = 16, Epochs = epochs, BatchSize = 64, HorizontalFlip = false, MinViewArea = 0.8,
            Mae = new() { NormalizePatches = false, MaskRatio = 0.6 }, Device = "cpu", Watch = painter,
        }).Fit(context.Data.LoadImageFolder(folder));
        Console.WriteLine($"MAE on digits: loss {model.History!.Epochs[^1].TrainLoss:F3}");
        return painter.Tiles;
    }

    private sealed class Painter(string[] images) : ITrainingCallback
    {
        public List<ContactSheet.Tile> Tiles { get; } = [];

        public void OnTrainEnd(TrainingState state)
        {
            using var scope = NewDisposeScope();
            var learner = (Mae)state.Task.Network;
            learner.eval();
            var processor = new ImageProcessor(ImagePreprocessing.ExactSize(16, 16));
            var pixels = processor.ProcessBatch([.. images.Select(image => ImageDecoder.Decode(image))]);
            var (painted, hidden) = learner.Paint(pixels);
            for (var i = 0; i < images.Length; i++)
                Tiles.AddRange([Tile(Bytes(pixels[i]), "a digit"), Tile(Bytes(hidden[i]), "what is seen"), Tile(Bytes(painted[i]), "what is painted")]);

            static Tensor Bytes(Tensor normalized)
            {
                using Scalar half = 127.5, zero = 0, white = 255;
                return normalized.mul(half).add(half).clamp(zero, white).to(ScalarType.Byte);
            }
        }
    }

    private static Tensor Open(string path)
    {
        var processor = new ImageProcessor(new ImagePreprocessing { Resize = new ImageResize.ShortestEdge(Side), CenterCrop = Side });
        var image = processor.ResizeAndCrop(ImageDecoder.Decode(path));
        var planes = new byte[3 * Side * Side];
        image.CopyPlanes(planes);
        return tensor(planes, [3, Side, Side], ScalarType.Byte);
    }

    /// <summary>An image [3, H, W] uint8 as a file for the sheet.</summary>
    private static ContactSheet.Tile Tile(Tensor image, string title, string detail = "")
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "view.png");
        var (height, width) = ((int)image.shape[1], (int)image.shape[2]);
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        var pixels = cat([image, full_like(image[..1], (Scalar)255)]).permute(1, 2, 0).contiguous().data<byte>().ToArray();
        System.Runtime.InteropServices.Marshal.Copy(pixels, 0, bitmap.GetPixels(), pixels.Length);
        using var file = File.Create(path);
        bitmap.Encode(file, SKEncodedImageFormat.Png, 100);
        return new(path, title, detail, 0);
    }
}
