// Sweep STORAGE STUDY TRIALS MILLISECONDS: one worker of a study; a trial takes about this long. Prints the number of each trial that
// has begun. The tests kill it in the middle.
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Tests;


var (storage, study) = (args[0], args[1]);
var (trials, milliseconds) = (int.Parse(args[2], CultureInfo.InvariantCulture), int.Parse(args[3], CultureInfo.InvariantCulture));
var context = new MLContext(seed: 1);
var rows = ToySweep.Rows(context);
var options = new SweepOptions { Trials = trials, Storage = storage, Study = study, Metric = ToySweep.Metric, Progress = new Begun() };
using var result = context.Vision().Sweep((ToySweep.Options o) =>
{
    Thread.Sleep(Random.Shared.Next(milliseconds / 2, 3 * milliseconds / 2));
    return ToySweep.Estimator(context, o);
}, options).Run(rows, rows);

internal sealed class Begun : IProgress<SweepProgress>
{
    public void Report(SweepProgress value)
    {
        if (!value.Trial.IsOver)
            Console.WriteLine(value.Trial.Number);
    }
}
