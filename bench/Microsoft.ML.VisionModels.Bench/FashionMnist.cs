using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>Fashion-MNIST (arXiv 1708.07747) as a user's images lie: train and test, with a folder of PNG files per class. 28 x 28 in the middle of 32 x 32.</summary>
internal static class FashionMnist
{
    private const int Side = 28, Margin = 2, Header = 16, LabelHeader = 8;
    private static readonly string[] s_classes = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"];

    public static void Prepare(BenchArguments arguments)
    {
        var (from, to) = (arguments.Place("from", "fashion-mnist-files"), Path.Combine(arguments.Text("data", Repository.Data), "fashion-mnist"));
        Write(Path.Combine(from, "train"), Path.Combine(to, "train"));
        Write(Path.Combine(from, "t10k"), Path.Combine(to, "test"));
        Console.WriteLine($"Written to {to}.");
    }

    private static void Write(string files, string folder)
    {
        var (images, labels) = (Read($"{files}-images-idx3-ubyte.gz"), Read($"{files}-labels-idx1-ubyte.gz"));
        foreach (var name in s_classes)
            Directory.CreateDirectory(Path.Combine(folder, name));
        Parallel.For(0, BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(4)), i =>
        {
            var image = new RgbImage(Side + 2 * Margin, Side + 2 * Margin);
            for (var place = 0; place < Side * Side; place++)
                image.Pixels.AsSpan(3 * ((place / Side + Margin) * image.Width + place % Side + Margin), 3).Fill(images[Header + i * Side * Side + place]);
            using var made = ImageDecoder.ToMLImage(image);
            VisionImage.SavePng(made, Path.Combine(folder, s_classes[labels[LabelHeader + i]], $"{i:00000}.png"));
        });
    }

    private static byte[] Read(string path)
    {
        using var unpacked = new MemoryStream();
        using var file = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        file.CopyTo(unpacked);
        return unpacked.ToArray();
    }
}
