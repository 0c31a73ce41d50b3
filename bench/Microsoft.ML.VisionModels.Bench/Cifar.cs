using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// What a network learns of CIFAR-10 from random weights in a given time. The curve, and the choice of the epoch, go by held-out
/// training images; the 10,000 test images are looked at once, when training is over.
/// </summary>
internal static class Cifar
{
    private const int Seed = 1, CalibrationRows = 6400, Images = 50_000, BatchSize = 64;
    private const double HeldOut = 0.05;

    // An image that is only judged costs a third of one that is learned from.
    private const double JudgingCost = 1.0 / 3;

    public static void Run(BenchArguments arguments, ResultsFile results, string command)
    {
        var images = arguments.Place("images", "cifar10");
        var run = arguments.Text("run", "vit-recipe");
        var threads = arguments.Threads[^1];
        var minutes = double.Parse(arguments.Text("minutes", "20"), CultureInfo.InvariantCulture);
        torch.set_num_threads(threads);
        var context = new MLContext(Seed);
        var (train, test) = (context.Data.LoadImageFolder(Path.Combine(images, "train")), context.Data.LoadImageFolder(Path.Combine(images, "test")));
        var log = new CifarResults(run, command);

        switch (run)
        {
            case "logistic-regression":
                var clock = new ProcessorClock();
                var linear = CifarBaselines.LogisticRegression(context, train);
                log.Test(1, clock.Minutes, context.MulticlassClassification.Evaluate(linear.Transform(test)).MicroAccuracy);
                break;
            case "convnet":
                CifarBaselines.ConvNet(Path.Combine(images, "cifar-10-batches-bin"), Seed, minutes * threads, log);
                break;
            default:
                Train(context, run, train, test, minutes * threads, arguments.Number("epochs", 0), log);
                break;
        }

        foreach (var family in new[] { "vit", "swin" })
        {
            if (CifarResults.TestAccuracy($"{family}-recipe") is { } with && CifarResults.TestAccuracy($"{family}-plain") is { } without)
                results.Add(new($"cifar10 ({minutes} min)", $"{family} with the recipe", $"{family} without", "test error %", 100 * (1 - with), 100 * (1 - without), threads, BatchSize));
        }
    }

    private static void Train(MLContext context, string run, IDataView train, IDataView test, double budget, int epochs, CifarResults log)
    {
        // The plan may err by little; what goes far beyond is cut off, unless the epochs were asked for.
        var isPlanned = epochs == 0;
        if (isPlanned)
            epochs = EpochsWithin(context, run, train, budget);
        using var stop = new CancellationTokenSource();
        var clock = new ProcessorClock();
        var ends = new Dictionary<int, double>();
        using var model = Fit(context, run, train, epochs, HeldOut, stop.Token, progress =>
        {
            ends[progress.Epoch] = clock.Minutes;
            if (isPlanned && clock.Minutes > 1.1 * budget)
                stop.Cancel();
        });
        var minutes = clock.Minutes;
        foreach (var epoch in model.History!.Epochs)
            log.Epoch(epoch, ends[epoch.Epoch]);

        var folder = Directory.CreateTempSubdirectory().FullName;
        model.SaveCheckpoint(folder);
        var mirrored = run.StartsWith("vit", StringComparison.Ordinal)
            ? (ImageClassifierTransformer)context.Transforms.ViTClassifier(Scoring(new ViTClassifierOptions(), folder)).Fit(test)
            : context.Transforms.SwinClassifier(Scoring(new SwinClassifierOptions(), folder)).Fit(test);
        using (mirrored)
            log.Test(model.History.Epochs.Count, minutes, Accuracy(context, model, test), Accuracy(context, mirrored, test));
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>How many epochs the budget has room for, by how long an image takes in the second half of a small epoch.</summary>
    private static int EpochsWithin(MLContext context, string run, IDataView train, double budget)
    {
        var half = (Step: 0, Minutes: 0.0);
        var last = half;
        var clock = new ProcessorClock();
        using (Fit(context, run, context.Data.TakeRows(context.Data.ShuffleRows(train, Seed), CalibrationRows), epochs: 1, heldOut: 0, CancellationToken.None, Watch))
        {
        }
        var perImage = (last.Minutes - half.Minutes) / ((last.Step - half.Step) * BatchSize);
        var epochs = Math.Max(1, (int)Math.Round(budget / (Images * perImage * (1 - HeldOut + HeldOut * JudgingCost))));
        Console.WriteLine($"{run}: {1 / (60 * perImage):F0} images a second of processor time; {epochs} epochs in {budget:F0} minutes of it");
        return epochs;

        void Watch(TrainingProgress progress)
        {
            last = (progress.Step, clock.Minutes);
            if (progress.Step <= CalibrationRows / BatchSize / 2)
                half = last;
        }
    }

    private static ImageClassifierTransformer Fit(
        MLContext context, string run, IDataView rows, int epochs, double heldOut, CancellationToken cancellation, Action<TrainingProgress> report)
    {
        var recipe = run.EndsWith("-plain", StringComparison.Ordinal) ? Recipe.Plain : Recipe.FromScratchSmall;
        return run[..run.IndexOf('-', StringComparison.Ordinal)] switch
        {
            "vit" => context.Transforms.ViTClassifier(With(new ViTClassifierOptions())).Fit(rows),
            "swin" => context.Transforms.SwinClassifier(With(new SwinClassifierOptions())).Fit(rows),
            _ => throw new ArgumentException($"--run is {run}, but must be vit-plain, vit-recipe, swin-plain, swin-recipe, convnet or logistic-regression."),
        };

        T With<T>(T options) where T : ImageClassifierOptions
        {
            options.ImageColumnName = "ImagePath";
            options.Recipe = recipe;
            options.Epochs = epochs;
            options.BatchSize = BatchSize;
            options.ValidationFraction = heldOut;
            options.EarlyStoppingPatience = 0;
            options.Device = "cpu";
            options.CancellationToken = cancellation;
            options.Progress = new Reports<TrainingProgress>(report);
            return options;
        }
    }

    private static T Scoring<T>(T options, string folder) where T : ImageClassifierOptions
    {
        (options.ImageColumnName, options.Checkpoint, options.TrainedParts, options.TestTimeAugmentation) = ("ImagePath", folder, TrainedParts.None, true);
        return options;
    }

    private static double Accuracy(MLContext context, ITransformer model, IDataView test) =>
        context.MulticlassClassification.EvaluateImageClassifier(model.Transform(test)).Top1Accuracy;
}
