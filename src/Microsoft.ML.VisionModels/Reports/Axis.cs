using System.Globalization;

namespace Microsoft.ML.VisionModels.Reports;

/// <summary>An axis of a plot: from where to where, and what is written along it.</summary>
internal sealed record Axis(string Name, double Low, double High, IReadOnlyList<(double Place, string Text)> Ticks)
{
    /// <summary>A difference that is none: 0.55 is 55 hundredths, though not to the last bit.</summary>
    private const double Rounding = 1e-9;

    /// <summary>The share of the axis that lies below a place.</summary>
    public double Share(double place) => High > Low ? (place - Low) / (High - Low) : 0.5;

    /// <summary>An axis that holds all values, with round numbers along it.</summary>
    /// <param name="name">What is written beside it.</param>
    /// <param name="values">The values.</param>
    /// <param name="from">Where it begins; without it, at the smallest value or a little below.</param>
    /// <param name="to">What no value exceeds, and so neither does the axis.</param>
    /// <param name="text">How a number is written.</param>
    public static Axis Of(string name, IEnumerable<double> values, double? from = null, double? to = null, Func<double, string>? text = null)
    {
        var all = values.DefaultIfEmpty(0).ToArray();
        var (low, high) = (from ?? all.Min(), all.Max());
        if (high <= low)
        {
            var room = low == 0 ? 1 : Math.Abs(low) * 0.1;
            (low, high) = to <= low ? (low - room, low) : (low, low + room);
        }
        var step = Step(high - low);
        var first = Math.Floor(low / step + Rounding);
        var ticks = Enumerable.Range(0, (int)(Math.Ceiling(high / step - Rounding) - first) + 1).Select(i => (first + i) * step)
            .Where(tick => to is null || tick < to + step / 2).ToArray();
        text ??= value => Text(value);
        return new(name, ticks[0], Math.Min(ticks[^1], to ?? ticks[^1]), [.. ticks.Select(tick => (tick, text(tick)))]);
    }

    /// <summary>An axis from 0 to a whole number, with whole numbers along it.</summary>
    public static Axis OfCounts(string name, int most)
    {
        most = Math.Max(1, most);
        var step = (int)Math.Max(1, Step(most));
        return new(name, 0, most, [.. Enumerable.Range(0, most / step + 1).Select(i => ((double)i * step, Text(i * step)))]);
    }

    /// <summary>A value, short.</summary>
    public static string Text(object? value) => value is double number
        ? Math.Abs(number) is > 0 and < 1e-3 or >= 1e5 ? number.ToString("0.##e0", CultureInfo.InvariantCulture) : number.ToString("0.####", CultureInfo.InvariantCulture)
        : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    /// <summary>A round number of which two to five make up the range.</summary>
    private static double Step(double range)
    {
        var rough = range / 5 * (1 - Rounding);
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
    }
}
