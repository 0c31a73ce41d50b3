using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Families.Sam;
using SkiaSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>Writes what the benchmarks need and the repository does not hold: checkpoints with seeded weights, and images.</summary>
internal static class Prepare
{
    public static void Run(BenchArguments arguments)
    {
        var folder = Directory.CreateDirectory(arguments.Text("data", Repository.Data)).FullName;
        WriteViT(Path.Combine(folder, "vit-base-patch16-224.safetensors"), width: 768, depth: 12, patch: 16, size: 224, classes: 1000);
        WriteViT(Path.Combine(folder, "vit-small-patch16-224.safetensors"), width: 384, depth: 12, patch: 16, size: 224, classes: 1000);
        WriteViT(Path.Combine(folder, "vit-tiny-patch16-224.safetensors"), width: 192, depth: 12, patch: 16, size: 224, classes: 1000);
        WriteViT(Path.Combine(folder, "vit-tiny-patch4-32.safetensors"), width: 192, depth: 12, patch: 4, size: 32, classes: 10);
        WriteClip(Directory.CreateDirectory(Path.Combine(folder, "clip-vit-base-patch32")).FullName, ClipPreset.Base32);
        WriteResNet(Path.Combine(folder, "resnet50.safetensors"), ResNetPreset.ResNet50);
        WriteImages(Path.Combine(folder, "images"), count: 64, new(640, 480));
        Console.WriteLine($"Written to {folder}.");
    }

    /// <summary>SAM as Hugging Face publishes it, of one of its sizes: up to 2.6 GB.</summary>
    public static void WriteSam(BenchArguments arguments)
    {
        using var generator = new Generator(1);
        var preset = Enum.Parse<SamPreset>(arguments.Text("preset", nameof(SamPreset.Base)), ignoreCase: true);
        var config = SamPresets.Of(preset);
        var folder = Directory.CreateDirectory(Path.Combine(arguments.Text("data", Repository.Data), $"sam-vit-{preset}".ToLowerInvariant())).FullName;
        using var network = new SamNetwork(config).Initialize(generator);
        CheckpointLoader.Save(network, SamDialect.Published(config), Path.Combine(folder, "model.safetensors"));
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToHuggingFace().ToJsonString());
        Console.WriteLine($"Written to {folder}.");
    }

    /// <summary>A ViT in timm's names. Weights of this spread keep the activations of a trained network's size.</summary>
    private static void WriteViT(string path, int width, int depth, int patch, int size, int classes)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var tokens = (size / patch) * (size / patch) + 1;
        List<(string Name, Tensor Value)> tensors =
        [
            Random("cls_token", 1, 1, width),
            Random("pos_embed", 1, tokens, width),
            .. Affine("patch_embed.proj", Random, width, 3, patch, patch),
        ];
        for (var layer = 0; layer < depth; layer++)
        {
            tensors.AddRange(
            [
                .. Affine($"blocks.{layer}.norm1", One, width),
                .. Affine($"blocks.{layer}.attn.qkv", Random, 3 * width, width),
                .. Affine($"blocks.{layer}.attn.proj", Random, width, width),
                .. Affine($"blocks.{layer}.norm2", One, width),
                .. Affine($"blocks.{layer}.mlp.fc1", Random, 4 * width, width),
                .. Affine($"blocks.{layer}.mlp.fc2", Random, width, 4 * width),
            ]);
        }
        SafetensorsWriter.Write(path, [.. tensors, .. Affine("norm", One, width), .. Affine("head", Random, classes, width)]);

        (string, Tensor) Random(string name, params long[] shape) => (name, randn(shape, generator: generator).mul_(0.03));

        (string, Tensor) One(string name, params long[] shape) => (name, randn(shape, generator: generator).mul_(0.03).add_(1));

        IEnumerable<(string, Tensor)> Affine(string name, Func<string, long[], (string, Tensor)> weight, params long[] shape) =>
            [weight($"{name}.weight", shape), Random($"{name}.bias", shape[0])];
    }

    /// <summary>A ResNet in torchvision's names, whose batch norms have seen images of some spread.</summary>
    private static void WriteResNet(string path, ResNetPreset preset)
    {
        using var gradients = no_grad();
        using var generator = new Generator(1);
        using var network = new ResNetNetwork(ResNetConfig.Of(preset) with { Classes = 1000 }).Drawn(generator);
        foreach (var (name, buffer) in network.named_buffers())
            buffer.copy_(rand(buffer.shape, generator: generator).Add(name.EndsWith("var", StringComparison.Ordinal) ? 0.5 : -0.5));
        CheckpointLoader.Save(network, ResNetDialect.Torchvision, path);
    }

    /// <summary>A CLIP as Hugging Face publishes it, without a tokenizer. No weight is 0 or 1 throughout, so that none can be mistaken for another.</summary>
    private static void WriteClip(string folder, ClipPreset preset)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var generator = new Generator(1);
        var config = ClipPresets.Of(preset);
        using var network = new ClipNetwork(config).Drawn(generator);
        foreach (var parameter in network.parameters().Where(parameter => parameter.dim() == 1))
            parameter.add_(randn(parameter.shape, generator: generator).mul_(0.03));
        CheckpointLoader.Save(network, ClipDialect.HuggingFace, Path.Combine(folder, "model.safetensors"));
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToHuggingFace().ToJsonString());
    }

    /// <summary>JPEGs as large on disk as photographs of their size, in two class folders.</summary>
    private static void WriteImages(string folder, int count, SKSizeI size)
    {
        var random = new System.Random(1);
        using var small = new SKBitmap(size.Width / 8, size.Height / 8);
        using var large = new SKBitmap(size.Width, size.Height);
        for (var i = 0; i < count; i++)
        {
            for (var y = 0; y < small.Height; y++)
            {
                for (var x = 0; x < small.Width; x++)
                    small.SetPixel(x, y, new((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)));
            }
            small.ScalePixels(large, SKFilterQuality.High);
            var path = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, i % 2 == 0 ? "even" : "odd")).FullName, $"{i:D3}.jpg");
            using var jpeg = large.Encode(SKEncodedImageFormat.Jpeg, quality: 90);
            using var file = File.Create(path);
            jpeg.SaveTo(file);
        }
    }
}
