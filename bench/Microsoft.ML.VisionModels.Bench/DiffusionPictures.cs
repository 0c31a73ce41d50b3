using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Samples;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// Draws the pictures of docs/diffusion.md with a model that "diffusion" trained: images on their way to noise, and back; and every scheduler
/// at 5, 10, 20 and 50 steps from the same noise.
/// </summary>
internal static class DiffusionPictures
{
    private const int Seed = 3;
    private static readonly int[] s_steps = [5, 10, 20, 50];

    public static void Run(BenchArguments arguments)
    {
        var (images, pictures) = (arguments.Place("images", "fashion-mnist"), Path.Combine(Repository.Bench, "..", "docs", "images"));
        var context = new MLContext(1);
        using var model = (DiffusionTransformer)context.Model.Load(arguments.Place("model", "diffusion.zip"), out _);
        using var use = model.Model.Use();
        var network = use.As<DiffusionNetwork>();
        var labels = model.Model.Labels!.Names;
        using var scope = NewDisposeScope();
        using var inference = inference_mode();

        // To noise and back: an image with more and more of it, and what becomes of noise.
        int[] shown = [0, 200, 400, 600, 800, 999];
        var tiles = new List<ContactSheet.Tile>();
        var schedule = NoiseSchedule.Of(network.Config.Scheduler);
        using (var generator = new Generator(Seed))
        {
            var file = Directory.GetFiles(Path.Combine(images, "test", labels[^1])).Order(StringComparer.Ordinal).First();
            var decoded = ImageDecoder.Decode(file);
            var image = tensor(decoded.Pixels, [decoded.Height, decoded.Width, 3]).permute(2, 0, 1).unsqueeze(0).to(ScalarType.Float32).Div(127.5).Sub(1);      // [1, 3, H, W]
            var noise = randn(image.shape, generator: generator);
            foreach (var time in shown)
                tiles.Add(Tile(schedule.AddNoise(image, noise, tensor([(long)time])), time == 0 ? "an image" : $"time {time}", time == 999 ? "noise alone" : "", "noising", tiles.Count));
        }
        using (var trace = new Trace())
        {
            var steps = shown.Length * 4;
            Make(DiffusionScheduler.Ddim, steps, labels.Count - 1, trace);
            tiles.Add(Tile(trace["initial_latents"], "noise", "", "noising", tiles.Count));
            for (var i = 1; i < shown.Length; i++)
            {
                var step = i * (steps - 1) / (shown.Length - 1);
                tiles.Add(Tile(trace[$"{step}.latents"], $"step {step + 1}", i == shown.Length - 1 ? labels[^1] : "", "noising", tiles.Count));
            }
        }
        ContactSheet.Write(tiles, Path.Combine(pictures, "diffusion-noise.png"), shown.Length);

        // Three classes for each scheduler and number of steps.
        int[] classes = [.. Enumerable.Range(0, labels.Count).Where((_, i) => i % Math.Max(1, labels.Count / 3) == 0).Take(3)];
        var sheet = new List<ContactSheet.Tile>();
        foreach (var scheduler in Enum.GetValues<DiffusionScheduler>())
        {
            foreach (var steps in s_steps)
            {
                foreach (var number in classes)
                    sheet.Add(Tile(Make(scheduler, steps, number, null).Mul(2.0).Sub(1), number == classes[0] ? $"{scheduler}" : "", $"{steps} steps", "schedulers", sheet.Count));
            }
        }
        ContactSheet.Write(sheet, Path.Combine(pictures, "diffusion-schedulers.png"), s_steps.Length * classes.Length);

        Tensor Make(DiffusionScheduler scheduler, int steps, int number, Trace? trace)
        {
            var sampler = new DiffusionSampler(network, null, new() { Steps = steps, Scheduler = scheduler, GuidanceScale = 2 }, CPU, ScalarType.Float32);
            using var noise = new SeededNoise([Seed]);
            return sampler.Generate([new(Seed) { Class = number }], noise, null, CancellationToken.None, trace);
        }
    }

    /// <summary>docs/images/diffusion-autoencoder.png: a photograph, and what a tiny autoencoder, the one of FLUX.2's latents, makes of it.</summary>
    public static void Autoencoder(BenchArguments arguments)
    {
        const int Largest = 512;
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var (folder, photo) = (arguments.Place("autoencoder", "taef2"), arguments.Place("photo", "photos/astronaut.png"));
        var image = ImageDecoder.Decode(photo);
        if (Math.Max(image.Width, image.Height) > Largest)
            image = PillowResize.Resize(image, Largest, Largest, ResizeFilter.Lanczos);
        var x = tensor(image.Pixels, [image.Height, image.Width, 3]).permute(2, 0, 1).unsqueeze(0).to(ScalarType.Float32).Div(127.5).Sub(1);
        using var network = DiffusionModels.OpenTinyAutoencoder(Directory.GetFiles(folder, "*encoder*.pth").Single(), Directory.GetFiles(folder, "*decoder*.pth").Single());
        var latents = network.Encode(x);
        var y = network.Decode(latents).clamp(tensor(-1f), tensor(1f));
        var difference = x - y;
        var ratio = 10 * Math.Log10(4 / (difference * difference).mean().Item());
        Console.WriteLine(FormattableString.Invariant($"{Path.GetFileName(photo)}, {image.Width} x {image.Height}, by latents {string.Join(" x ", latents.shape)}: {ratio:F1} dB"));
        ContactSheet.Write([Tile(x, "a photograph", "", "autoencoder", 0), Tile(y, FormattableString.Invariant($"{ratio:F1} dB"), "encoded, decoded", "autoencoder", 1)],
            Path.Combine(Repository.Bench, "..", "docs", "images", "diffusion-autoencoder.png"), 2);
    }

    /// <param name="x">From -1 to 1, [1, 3, H, W].</param>
    private static ContactSheet.Tile Tile(Tensor x, string title, string detail, string kind, int number)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(Repository.Data, "diffusion-pictures")).FullName, $"{kind}-{number:000}.png");
        using var image = ImageDecoder.ToMLImage(GeneratedImages.Of(x.Add(1).Div(2).clamp(tensor(0f), tensor(1f)))[0]);
        VisionImage.SavePng(image, path);
        return new(path, title, detail, 0);
    }
}
