using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Evaluation;
using Microsoft.ML.VisionModels.Families.SelfSupervised;
using Microsoft.ML.VisionModels.Imaging;
using Samples;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// What a small diffusion model learns of images by class: after each epoch, how far the images that it makes are from 5,000 real ones
/// (Fréchet distance, by the features of a classifier that was trained on the same images before), beside as many other real images, and noise.
/// </summary>
internal static class DiffusionCurve
{
    private const int Seed = 1, Side = 32, Known = 5000;
    private const string Header = "date,images,epoch,processor minutes,training loss,distance,command";

    public static void Run(BenchArguments arguments, string command)
    {
        set_num_threads(arguments.Threads[^1]);
        var images = arguments.Place("images", "fashion-mnist");
        var context = new MLContext(Seed);
        var (train, test) = (CifarSet.Read(context, Path.Combine(images, "train")), CifarSet.Read(context, Path.Combine(images, "test")));
        var made = arguments.Number("made", 500);
        using var judge = new Judge(context, train, test.Take(Known), arguments.Number("judge-epochs", 3));
        using var generator = new Generator(Seed);
        var results = new List<string>();
        Add("real", 0, 0, "", judge.Distance(test.Pixels[Known..(Known + made)]));
        Add("noise", 0, 0, "", judge.Distance(rand([made, 3, Side, Side], generator: generator).Mul(255.0).to(ScalarType.Byte)));

        string[] classes = [.. train.Rows.Select(row => row.Label).Distinct().Order(StringComparer.Ordinal)];
        var previews = new Previews(judge, classes.Length, Path.Combine(Repository.Data, "diffusion-previews"));
        using var model = context.Transforms.DiffusionTrainer(new DiffusionTrainerOptions
        {
            ImageColumnName = nameof(CifarRow.ImagePath), LabelColumnName = nameof(CifarRow.Label), ImageSize = Side, Epochs = arguments.Number("epochs", 12), BatchSize = arguments.Number("batch", 64),
            TrainingPrecision = Enum.Parse<Precision>(arguments.Text("precision", nameof(Precision.BFloat16)), ignoreCase: true), Device = "cpu", Sampling = new() { Steps = 20, GuidanceScale = 1 },
            Channels = arguments.Number("channels", 32), PreviewEpochs = arguments.Number("preview-epochs", 2),
            PreviewRows = [.. Enumerable.Range(0, made).Select(i => classes[i % classes.Length])], Previews = previews, Progress = new Reports<TrainingProgress>(_ => previews.Trained()),
        }).Fit(train.Take(arguments.Number("rows", 10_000)).View(context));
        foreach (var (epoch, minutes, distance) in previews.Seen)
            Add("made", epoch, minutes, model.History!.Epochs[epoch - 1].TrainLoss.ToString("F4", CultureInfo.InvariantCulture), distance);
        context.Model.Save(model, null, Path.Combine(Repository.Data, "diffusion.zip"));
        ContactSheet.Write(previews.Tiles, Path.Combine(Repository.Bench, "..", "docs", "images", "diffusion-training.png"), classes.Length);
        var path = Path.Combine(Repository.Bench, "diffusion.csv");
        File.WriteAllLines(path, [Header, .. results]);

        void Add(string what, int epoch, double minutes, string loss, double distance)
        {
            results.Add(FormattableString.Invariant($"{DateTime.UtcNow:yyyy-MM-dd},{what},{epoch},{minutes:F2},{loss},{distance:F2},{command}"));
            Console.WriteLine(FormattableString.Invariant($"{what}: distance {distance:F2}; epoch {epoch}, loss {loss}, {minutes:F1} minutes of processor time"));
        }
    }

    /// <summary>A classifier of the real images, by whose features sets of images are compared.</summary>
    private sealed class Judge : IDisposable
    {
        private readonly ImageClassifierTransformer _classifier;
        private readonly Tensor _known;

        public Judge(MLContext context, CifarSet train, CifarSet known, int epochs)
        {
            _classifier = context.Transforms.ResNetClassifier(new ResNetClassifierOptions
            {
                ImageColumnName = nameof(CifarRow.ImagePath), Epochs = epochs, BatchSize = 128, Recipe = Recipe.Plain, Device = "cpu", TrainingPrecision = Precision.BFloat16,
            }).Fit(train.View(context));
            Console.WriteLine($"A classifier that looks at them: {string.Join(", ", _classifier.History!.Epochs[^1].ValidationMetrics.Select(metric => FormattableString.Invariant($"{metric.Key} {metric.Value:F3}")))} on held-out images.");
            _known = Embed(known.Pixels);
        }

        /// <param name="pixels">[N, 3, H, W] uint8.</param>
        public double Distance(Tensor pixels)
        {
            using var embedding = Embed(pixels);
            return FrechetDistance.Between(_known, embedding);
        }

        public void Dispose()
        {
            _known.Dispose();
            _classifier.Dispose();
        }

        private Tensor Embed(Tensor pixels)
        {
            using var use = _classifier.Model.Use();
            return CifarSet.Embed(pixels, use.Module.Embed);
        }
    }

    /// <summary>Looks at what a model makes after each epoch; the time for that does not count.</summary>
    private sealed class Previews(Judge judge, int shown, string folder) : IProgress<DiffusionPreview>
    {
        private readonly ProcessorClock _clock = new();
        private double _trained, _looking;

        public List<(int Epoch, double Minutes, double Distance)> Seen { get; } = [];

        public List<ContactSheet.Tile> Tiles { get; } = [];

        /// <summary>A step of the training is done; what follows may be making images.</summary>
        public void Trained() => _trained = _clock.Minutes;

        public void Report(DiffusionPreview value)
        {
            using var scope = NewDisposeScope();
            var pixels = stack(value.Images.Select(image => tensor(ImageDecoder.FromMLImage(image).Pixels, [Side, Side, 3]).permute(2, 0, 1)));
            Seen.Add((value.Epoch, _trained - _looking, judge.Distance(pixels)));
            foreach (var (i, image) in value.Images.Take(shown).Index())
            {
                var path = Path.Combine(folder, $"{value.Epoch:000}-{i}.png");
                VisionImage.SavePng(image, path);
                Tiles.Add(new(path, i == 0 ? $"epoch {value.Epoch}" : "", i == 0 ? $"distance {Seen[^1].Distance:F1}" : "", 0));
            }
            foreach (var image in value.Images)
                image.Dispose();
            Console.WriteLine(FormattableString.Invariant($"epoch {value.Epoch}: distance {Seen[^1].Distance:F2}, {Seen[^1].Minutes:F1} minutes of processor time"));
            _looking += _clock.Minutes - _trained;
        }
    }
}
