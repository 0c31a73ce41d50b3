using System.Globalization;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// What learning without labels is worth where few images of CIFAR-10 have one: fine-tuning a backbone that <see cref="SslCifar"/> wrote,
/// against the same network from random weights with the recipe for that, on the same images; the 10,000 test images are looked at once.
/// </summary>
internal static class SslLabels
{
    private const string Header = "date,labeled images,start,seed,epochs,test accuracy,processor minutes,command";

    public static void Run(BenchArguments arguments, string command)
    {
        set_num_threads(arguments.Threads[^1]);
        var (images, checkpoint) = (arguments.Place("images", "cifar10"), arguments.Place("checkpoint", "ssl-byol-resnetsmallimage"));
        var context = new MLContext(seed: 1);
        var test = context.Data.LoadImageFolder(Path.Combine(images, "test"));
        var train = context.Data.CreateEnumerable<CifarRow>(context.Data.LoadImageFolder(Path.Combine(images, "train")), reuseRowObject: false, ignoreMissingColumns: true).ToList();
        var perClass = arguments.Number("labels", 500) / train.Select(row => row.Label).Distinct().Count();
        for (var seed = 1; seed <= arguments.Number("seeds", 3); seed++)
        {
            var order = EpochOrder.Shuffle(train.Count, seed, epoch: 0);
            var rows = order.Select(i => train[(int)i]).GroupBy(row => row.Label).SelectMany(rows => rows.Take(perClass)).ToList();
            Measure("from random weights", Recipe.FromScratchSmall, null, arguments.Number("epochs", 200), seed, rows);
            Measure(Path.GetFileName(checkpoint), Recipe.FineTune, checkpoint, arguments.Number("fine-tuning-epochs", 100), seed, rows);
        }

        void Measure(string start, Recipe recipe, string? checkpoint, int epochs, int seed, List<CifarRow> rows)
        {
            if (epochs == 0)
                return;
            var clock = new ProcessorClock();
            var own = new MLContext(seed);
            var options = new ResNetClassifierOptions
            {
                ImageColumnName = "ImagePath", Recipe = recipe, Checkpoint = checkpoint, TrainedParts = TrainedParts.All, Epochs = epochs, BatchSize = 64, ValidationFraction = 0,
                EarlyStoppingPatience = 0, Device = "cpu", TrainingPrecision = Precision.BFloat16,
            };
            if (checkpoint is not null && arguments.Text("rate", "") is { Length: > 0 } rate)
                options.LearningRate = double.Parse(rate, CultureInfo.InvariantCulture);
            using var model = own.Transforms.ResNetClassifier(options).Fit(own.Data.LoadFromEnumerable(rows));
            var minutes = clock.Minutes;
            var accuracy = own.MulticlassClassification.EvaluateImageClassifier(model.Transform(test)).Top1Accuracy;
            Console.WriteLine(FormattableString.Invariant($"{rows.Count} labels, {start}, seed {seed}: {accuracy:P1} after {minutes:F1} minutes of processor time"));
            Write(FormattableString.Invariant($"{rows.Count},{start},{seed},{epochs}"), FormattableString.Invariant($"{accuracy:F4},{minutes:F2},{command}"));
        }
    }

    /// <summary>Writes a result in the place of an earlier one.</summary>
    private static void Write(string what, string values)
    {
        var path = Path.Combine(Repository.Bench, "ssl-labels.csv");
        var others = File.Exists(path) ? File.ReadAllLines(path).Skip(1).Where(row => !row.Contains($",{what},", StringComparison.Ordinal)) : [];
        File.WriteAllLines(path, [Header, .. others, FormattableString.Invariant($"{DateTime.UtcNow:yyyy-MM-dd},{what},{values}")]);
    }
}
