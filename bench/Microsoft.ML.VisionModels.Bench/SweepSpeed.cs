using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// How soon TPE with asynchronous halving has the accuracy that random search without pruning ends with. Both search the same space
/// of a ViT, on the same rows, from the same seed. The first trial is the defaults in both, and often as good as any: it, and the time
/// that it takes, do not count.
/// </summary>
internal static class SweepSpeed
{
    public static void Run(BenchArguments arguments, ResultsFile results)
    {
        var images = arguments.Place("images", "digits");
        var (name, threads) = (arguments.Text("name", "digits"), arguments.Threads[^1]);
        var (epochs, side, patch, most) = (arguments.Number("epochs", 27), arguments.Number("image-size", 16), arguments.Number("patch", 4), arguments.Number("rows", 1_500));
        var heldOut = double.Parse(arguments.Text("held-out", "0.1"), CultureInfo.InvariantCulture);     // of each trial's rows, to judge its epochs by
        var validation = double.Parse(arguments.Text("validation", "0.25"), CultureInfo.InvariantCulture);   // of all rows, to score trials on
        var grace = arguments.Number("grace", 1);
        var budget = arguments.Number("minutes", 10) * threads;      // of processor time
        torch.set_num_threads(threads);

        var ratios = new List<(double Ours, double Random)>();
        foreach (var seed in Enumerable.Range(arguments.Number("first-seed", 1), arguments.Number("seeds", 3)))
        {
            var context = new MLContext(seed);
            var rows = context.Data.TakeRows(context.Data.ShuffleRows(context.Data.LoadImageFolder(images), seed), most);
            var split = context.Data.TrainTestSplit(rows, testFraction: validation, seed: seed);
            var random = Search(SweepSampler.Random, SweepPruner.None, target: null);
            var ours = Search(SweepSampler.Tpe, SweepPruner.Asha, target: random.Best);
            Console.WriteLine($"seed {seed}: random {random.Best:P2} of {random.Trials} trials after {random.Minutes:F1} processor minutes of {budget}; TPE and halving {ours.Best:P2} of {ours.Trials} trials after {ours.Minutes:F1}");
            ratios.Add((ours.Minutes, random.Minutes));

            (double Best, double Minutes, int Trials) Search(SweepSampler sampler, SweepPruner pruner, double? target)
            {
                var candidate = SweepCandidate.Of((ViTClassifierOptions options) =>
                {
                    (options.ImageColumnName, options.Device, options.PatchSize, options.ValidationFraction) = ("ImagePath", "cpu", patch, heldOut);
                    if (side == 16)
                        options.HorizontalFlip = false;     // the digits
                    return context.Transforms.ViTClassifier(options);
                }).Fix(o => o.Epochs, epochs).Fix(o => o.ImageSize, side).Leave(o => o.Preset, o => o.LayerDecay);

                using var stop = new CancellationTokenSource();
                var (clock, best, reached) = (new ProcessorClock(), 0.0, 0.0);
                var sweep = new SweepOptions
                {
                    Trials = null, Minutes = 24 * 60, Sampler = sampler, Pruner = pruner, GraceEpochs = grace, Seed = seed, CancellationToken = stop.Token,
                    Progress = new Reports<SweepProgress>(progress =>
                    {
                        if (progress.Trial.Number == 0)
                            clock = new ProcessorClock();
                        else if (progress.Trial.State == SweepTrialState.Complete && progress.Trial.Score > best)
                            (best, reached) = (progress.Trial.Score.Value, clock.Minutes);
                        if (clock.Minutes > budget || best >= target)
                            stop.Cancel();
                    }),
                };
                using var result = context.Vision().Sweep(sweep, candidate).Run(split.TrainSet, split.TestSet);
                return (best, best >= (target ?? 0) ? reached : double.PositiveInfinity, result.Study.Trials.Count);
            }
        }
        var median = ratios.OrderBy(pair => pair.Ours).ElementAt(ratios.Count / 2);
        results.Add(new($"sweep ({name})", "TPE and halving", "random search", "CPU min", median.Ours, median.Random, threads, Batch: 0));
        results.Add(new($"sweep ({name})", "TPE and halving", "random search's budget", "CPU min", median.Ours, budget, threads, Batch: 0));
    }
}
