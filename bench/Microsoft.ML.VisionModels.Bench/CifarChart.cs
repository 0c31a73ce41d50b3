using System.Globalization;
using System.Text;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>docs/images/cifar10.svg: the held-out accuracy of the runs in bench/cifar10.csv over the processor time.</summary>
internal static class CifarChart
{
    private const int Width = 760, Height = 400, Left = 56, Right = 190, Top = 18, Bottom = 46;
    private const double Lowest = 0.3, Highest = 0.9;

    // Name, as the legend has it, color and dashes.
    private static readonly (string Run, string Name, string Color, string Dashes)[] s_lines =
    [
        ("swin-recipe", "Swin, recipe", "#c2410c", ""),
        ("swin-plain", "Swin, plain", "#c2410c", "6 4"),
        ("vit-recipe", "ViT, recipe", "#1d4ed8", ""),
        ("vit-plain", "ViT, plain", "#1d4ed8", "6 4"),
        ("convnet", "small convolutional net", "#4b5563", "2 3"),
    ];

    public static void Write()
    {
        var rows = File.ReadAllLines(Path.Combine(Repository.Bench, "cifar10.csv")).Skip(1).Select(row => row.Split(',')).ToArray();
        var longest = rows.Max(row => Number(row[3]));
        var svg = new StringBuilder();
        Add($"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {Width} {Height}' font-family='sans-serif' font-size='13'><rect width='100%' height='100%' fill='#ffffff'/>");
        for (var accuracy = Lowest; accuracy < Highest + 0.01; accuracy += 0.1)
            Add($"<line x1='{Left}' x2='{Width - Right}' y1='{Y(accuracy):F1}' y2='{Y(accuracy):F1}' stroke='#e5e7eb'/><text x='{Left - 8}' y='{Y(accuracy) + 4:F1}' text-anchor='end' fill='#374151'>{100 * accuracy:F0} %</text>");
        for (var minutes = 0; minutes <= longest; minutes += 10)
            Add($"<text x='{X(minutes):F1}' y='{Height - Bottom + 18}' text-anchor='middle' fill='#374151'>{minutes}</text>");
        Add($"<text x='{(Left + Width - Right) / 2}' y='{Height - 8}' text-anchor='middle' fill='#374151'>minutes of processor time (two cores)</text>");

        var ends = new List<(double Y, string Text, string Color)>();
        foreach (var (run, name, color, dashes) in s_lines)
        {
            var points = rows.Where(row => row[1] == run && row[5].Length > 0).Select(row => (Minutes: Number(row[3]), Accuracy: Number(row[5]))).ToArray();
            if (points.Length == 0)
                continue;
            Add($"<polyline fill='none' stroke='{color}' stroke-width='2' stroke-dasharray='{dashes}' points='{string.Join(' ', points.Select(p => FormattableString.Invariant($"{X(p.Minutes):F1},{Y(p.Accuracy):F1}")))}'/>");
            foreach (var (minutes, accuracy) in points)
                Add($"<circle cx='{X(minutes):F1}' cy='{Y(accuracy):F1}' r='2.5' fill='{color}'/>");
            ends.Add((Y(points[^1].Accuracy), name, color));
        }

        // Labels beside the ends of their lines, none over another.
        var last = double.NegativeInfinity;
        foreach (var (y, text, color) in ends.OrderBy(end => end.Y))
        {
            last = Math.Max(y, last + 16);
            Add($"<text x='{Width - Right + 8}' y='{last + 4:F1}' fill='{color}'>{text}</text>");
        }
        File.WriteAllText(Path.Combine(Repository.Bench, "..", "docs", "images", "cifar10.svg"), svg.Append("</svg>\n").ToString());

        void Add(FormattableString text) => svg.Append(FormattableString.Invariant(text)).Append('\n');

        double X(double minutes) => Left + minutes / longest * (Width - Left - Right);

        double Y(double accuracy) => Height - Bottom - (accuracy - Lowest) / (Highest - Lowest) * (Height - Top - Bottom);
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
