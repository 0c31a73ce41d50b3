using System.Text;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Samples.Report;

/// <summary>One line of a chart; <paramref name="Style"/> names its color in report.css. A value that is not a number leaves a gap.</summary>
internal sealed record Line(string Name, string Style, IReadOnlyList<double> Values);

/// <summary>A small line chart over epochs, as inline SVG.</summary>
internal static class LineChart
{
    private const int Width = 520, Height = 250, Left = 48, Right = 12, Top = 14, Bottom = 30;

    public static string Draw(string title, IReadOnlyList<Line> lines, int? markedEpoch, Func<double, string> format, double? largest = null)
    {
        lines = [.. lines.Where(line => line.Values.Any(double.IsFinite))];
        if (lines.Count == 0)
            return "";

        var values = lines.SelectMany(line => line.Values).Where(double.IsFinite).ToList();
        var epochs = lines.Max(line => line.Values.Count);
        var ticks = Ticks(values.Min(), values.Max(), largest);
        var (bottom, top) = (ticks[0], ticks[^1]);
        double X(int epoch) => Left + (epochs == 1 ? 0.5 : (epoch - 1.0) / (epochs - 1)) * (Width - Left - Right);
        double Y(double value) => Height - Bottom - (value - bottom) / (top - bottom) * (Height - Top - Bottom);

        var svg = new StringBuilder($"<figure><figcaption>{title}{Legend(lines)}</figcaption><svg viewBox='0 0 {Width} {Height}' role='img' aria-label='{title}'>");
        foreach (var tick in ticks)
            svg.Append($"<line class='grid' x1='{Left}' x2='{Width - Right}' y1='{Y(tick):0.#}' y2='{Y(tick):0.#}'/><text class='tick end' x='{Left - 8}' y='{Y(tick) + 4:0.#}'>{format(tick)}</text>");
        foreach (var epoch in EpochTicks(epochs))
            svg.Append($"<text class='tick middle' x='{X(epoch):0.#}' y='{Height - 10}'>{epoch}</text>");
        if (markedEpoch is { } best)
            svg.Append($"<line class='mark' x1='{X(best):0.#}' x2='{X(best):0.#}' y1='{Top}' y2='{Height - Bottom}'><title>best epoch: {best}</title></line>");
        foreach (var line in lines)
        {
            var points = line.Values.Select((value, i) => (Epoch: i + 1, Value: value)).Where(point => double.IsFinite(point.Value)).ToList();
            svg.Append($"<polyline class='line {line.Style}' points='{string.Join(' ', points.Select(point => $"{X(point.Epoch):0.#},{Y(point.Value):0.#}"))}'/>");
            foreach (var (epoch, value) in points)
                svg.Append($"<circle class='dot {line.Style}{(points.Count == 1 ? " shown" : "")}' cx='{X(epoch):0.#}' cy='{Y(value):0.#}' r='4'><title>epoch {epoch}, {line.Name}: {format(value)}</title></circle>");
        }

        return svg.Append("</svg></figure>").ToString();
    }

    private static string Legend(IReadOnlyList<Line> lines) =>
        string.Concat(lines.Select(line => $"<span class='key {line.Style}'>{line.Name}</span>"));

    /// <summary>Three to seven round numbers that span the values.</summary>
    private static List<double> Ticks(double low, double high, double? largest)
    {
        var rough = Math.Max((high - low) / 5, 1e-3);
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        var (first, last) = (Math.Floor(low / step), Math.Max(Math.Ceiling(high / step), Math.Floor(low / step) + 1));
        var ticks = new List<double>();
        for (var i = first; i <= last; i++)
            ticks.Add(i * step);
        if (largest is { } limit && ticks.Count > 2)
            ticks.RemoveAll(tick => tick > limit + step / 2);
        return ticks;
    }

    private static IEnumerable<int> EpochTicks(int epochs)
    {
        var step = new[] { 1, 2, 5, 10, 20, 50, 100, 200, 500 }.First(step => epochs / step <= 10 || step == 500);
        yield return 1;
        for (var epoch = step == 1 ? 2 : step; epoch <= epochs; epoch += step)
            yield return epoch;
    }
}
