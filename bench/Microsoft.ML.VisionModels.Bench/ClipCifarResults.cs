using System.Globalization;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>bench/clip-cifar10.csv: what a CLIP learned, epoch by epoch.</summary>
internal sealed class ClipCifarResults(string command)
{
    private const string Header = "date,epoch,processor minutes,training loss,held-out zero-shot accuracy,command";
    private readonly List<string> _rows = [];

    private static string Path => System.IO.Path.Combine(Repository.Bench, "clip-cifar10.csv");

    public void Epoch(int epoch, double minutes, double loss, double accuracy)
    {
        _rows.Add(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd},{epoch},{minutes:F2},{loss:F4},{accuracy:F4},{command}"));
        Console.WriteLine($"epoch {epoch}: loss {loss:F3}, held-out zero-shot accuracy {accuracy:P1} after {minutes:F1} minutes of processor time");
    }

    /// <summary>Writes the run in the place of an earlier one.</summary>
    public void Write() => File.WriteAllLines(Path, [Header, .. _rows]);
}
