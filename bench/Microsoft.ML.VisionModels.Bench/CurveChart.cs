using System.Globalization;
using System.Text;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>Draws accuracies over the processor time for the docs, of runs whose epochs stand in a file of results.</summary>
internal static class CurveChart
{
    private const int Width = 760, Height = 400, Left = 56, Right = 190, Top = 18, Bottom = 46;
    private const int RunColumn = 1, MinutesColumn = 3, LossColumn = 4, AccuracyColumn = 5;

    /// <summary>docs/images/cifar10.svg: the held-out accuracy of the runs in bench/cifar10.csv.</summary>
    public static void Cifar() => Write("cifar10", "minutes of processor time (two cores)", (0.3, 0.9),
    [
        new("swin-recipe", "Swin, recipe", "#c2410c", ""),
        new("swin-plain", "Swin, plain", "#c2410c", "6 4"),
        new("vit-recipe", "ViT, recipe", "#1d4ed8", ""),
        new("vit-plain", "ViT, plain", "#1d4ed8", "6 4"),
        new("convnet", "small convolutional net", "#4b5563", "2 3"),
    ]);

    /// <summary>docs/images/ssl-cifar10.svg: how often neighbors tell the class, epoch by epoch, in bench/ssl-cifar10.csv.</summary>
    public static void Ssl() => Write("ssl-cifar10", "minutes of processor time (one core); 20 neighbors of 5,000 images", (0.3, 0.6),
    [
        new("SimClr ResNetSmallImage", "SimCLR", "#1d4ed8", ""),
        new("Byol ResNetSmallImage", "BYOL", "#c2410c", ""),
        new("Dino ResNetSmallImage", "DINO", "#15803d", ""),
    ]);

    private static void Write(string name, string axis, (double Lowest, double Highest) accuracies, Line[] lines)
    {
        var rows = File.ReadAllLines(Path.Combine(Repository.Bench, $"{name}.csv")).Skip(1).Select(row => row.Split(',')).Where(row => row[LossColumn].Length > 0).ToArray();
        var longest = rows.Max(row => Number(row[MinutesColumn]));
        var svg = new StringBuilder();
        Add($"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {Width} {Height}' font-family='sans-serif' font-size='13'><rect width='100%' height='100%' fill='#ffffff'/>");
        for (var accuracy = accuracies.Lowest; accuracy < accuracies.Highest + 0.01; accuracy += 0.1)
            Add($"<line x1='{Left}' x2='{Width - Right}' y1='{Y(accuracy):F1}' y2='{Y(accuracy):F1}' stroke='#e5e7eb'/><text x='{Left - 8}' y='{Y(accuracy) + 4:F1}' text-anchor='end' fill='#374151'>{100 * accuracy:F0} %</text>");
        for (var minutes = 0; minutes <= longest; minutes += 10)
            Add($"<text x='{X(minutes):F1}' y='{Height - Bottom + 18}' text-anchor='middle' fill='#374151'>{minutes}</text>");
        Add($"<text x='{(Left + Width - Right) / 2}' y='{Height - 8}' text-anchor='middle' fill='#374151'>{axis}</text>");

        var ends = new List<(double Y, string Text, string Color)>();
        foreach (var (run, label, color, dashes) in lines)
        {
            var points = rows.Where(row => row[RunColumn] == run).Select(row => (Minutes: Number(row[MinutesColumn]), Accuracy: Number(row[AccuracyColumn]))).ToArray();
            if (points.Length == 0)
                continue;
            Add($"<polyline fill='none' stroke='{color}' stroke-width='2' stroke-dasharray='{dashes}' points='{string.Join(' ', points.Select(p => FormattableString.Invariant($"{X(p.Minutes):F1},{Y(p.Accuracy):F1}")))}'/>");
            foreach (var (minutes, accuracy) in points)
                Add($"<circle cx='{X(minutes):F1}' cy='{Y(accuracy):F1}' r='2.5' fill='{color}'/>");
            ends.Add((Y(points[^1].Accuracy), label, color));
        }

        // Labels beside the ends of their lines, none over another.
        var last = double.NegativeInfinity;
        foreach (var (y, text, color) in ends.OrderBy(end => end.Y))
        {
            last = Math.Max(y, last + 16);
            Add($"<text x='{Width - Right + 8}' y='{last + 4:F1}' fill='{color}'>{text}</text>");
        }
        File.WriteAllText(Path.Combine(Repository.Bench, "..", "docs", "images", $"{name}.svg"), svg.Append("</svg>\n").ToString());

        void Add(FormattableString text) => svg.Append(FormattableString.Invariant(text)).Append('\n');

        double X(double minutes) => Left + minutes / longest * (Width - Left - Right);

        double Y(double accuracy) => Height - Bottom - (accuracy - accuracies.Lowest) / (accuracies.Highest - accuracies.Lowest) * (Height - Top - Bottom);
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    /// <param name="Run">As the file names it.</param>
    /// <param name="Label">As the picture does.</param>
    /// <param name="Color">Of the line.</param>
    /// <param name="Dashes">Of the line.</param>
    private sealed record Line(string Run, string Label, string Color, string Dashes);
}
