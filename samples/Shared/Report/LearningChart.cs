using Microsoft.ML.VisionModels.Reports;

namespace Samples.Report;

/// <summary>One line of a chart, a value an epoch; <paramref name="Style"/> names its color in report.css. A value that is not a number leaves a gap.</summary>
internal sealed record Line(string Name, string Style, IReadOnlyList<double> Values);

/// <summary>What training went through, epoch by epoch.</summary>
internal static class LearningChart
{
    public static string Draw(string title, IReadOnlyList<Line> lines, int? bestEpoch, Func<double, string> text, double? largest = null)
    {
        lines = [.. lines.Where(line => line.Values.Any(double.IsFinite))];
        if (lines.Count == 0)
            return "";

        var values = lines.SelectMany(line => line.Values).Where(double.IsFinite);
        var plot = new Plot(Axis.OfCounts("epoch", lines.Max(line => line.Values.Count)), Axis.Of(title, values, to: largest, text: text), width: 520, height: 260);
        if (bestEpoch is { } best)
            plot.Mark(best, $"best epoch: {best}");
        foreach (var line in lines)
        {
            var points = line.Values.Select((value, i) => (X: i + 1.0, Y: value)).Where(point => double.IsFinite(point.Y)).ToList();
            plot.Line(points, $"line {line.Style}");
            foreach (var (epoch, value) in points)
                plot.Point(epoch, value, $"dot {line.Style}{(points.Count == 1 ? " shown" : "")}", $"epoch {epoch}, {line.Name}: {text(value)}");
        }
        var keys = string.Concat(lines.Select(line => $"<span class='key {line.Style}'>{line.Name}</span>"));
        return $"<figure><figcaption>{title}{keys}</figcaption>{plot}</figure>";
    }
}
