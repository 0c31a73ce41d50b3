using System.Globalization;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>bench/cifar10.csv: what each run learned, epoch by epoch, and its accuracy on the test images in the end.</summary>
internal sealed class CifarResults(string run, string command)
{
    private const string Header = "date,run,epoch,processor minutes,training loss,held-out accuracy,test accuracy,test accuracy with mirror images,command";
    private readonly List<string> _rows = [];

    private static string Path => System.IO.Path.Combine(Repository.Bench, "cifar10.csv");

    public void Epoch(TrainingEpoch epoch, double minutes) =>
        _rows.Add(Row($"{epoch.Epoch},{minutes:F2},{epoch.TrainLoss:F4},{epoch.ValidationMetrics["Accuracy"]:F4},,"));

    /// <summary>Writes the run in the place of an earlier one of its name.</summary>
    public void Test(int epochs, double minutes, double accuracy, double? mirrored = null)
    {
        _rows.Add(Row($"{epochs},{minutes:F2},,,{accuracy:F4},{mirrored:F4}"));
        Console.WriteLine($"{run}: test accuracy {accuracy:P2}, with mirror images {mirrored:P2}, {epochs} epochs, {minutes:F1} minutes of processor time");
        var others = File.Exists(Path) ? File.ReadAllLines(Path).Skip(1).Where(row => row.Split(',')[1] != run) : [];
        File.WriteAllLines(Path, [Header, .. others, .. _rows]);
    }

    /// <summary>The test accuracy of a run, with mirror images where it has one; null where it has not been made.</summary>
    public static double? TestAccuracy(string run) => !File.Exists(Path) ? null : File.ReadAllLines(Path)
        .Select(row => row.Split(','))
        .Where(row => row[1] == run && row[6].Length > 0)
        .Select(row => (double?)double.Parse(row[6], CultureInfo.InvariantCulture))
        .SingleOrDefault();

    private string Row(FormattableString values) => string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd},{run},{FormattableString.Invariant(values)},{command}");
}
