using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Report;

/// <summary>An axis of a plot: from where to where, and what is written along it.</summary>
internal sealed record Axis(string Name, double Low, double High, IReadOnlyList<(double Place, string Text)> Ticks)
{
    /// <summary>The share of the axis that lies below a place.</summary>
    public double Share(double place) => High > Low ? (place - Low) / (High - Low) : 0.5;

    /// <summary>An axis that holds all values, with round numbers along it.</summary>
    public static Axis Of(string name, IEnumerable<double> values, double? from = null)
    {
        var all = values.DefaultIfEmpty(0).ToArray();
        var (low, high) = (from ?? all.Min(), all.Max());
        if (high <= low)
            high = low + Math.Max(1e-6, Math.Abs(low) * 0.1);
        var rough = (high - low) / 5;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        var (first, last) = (Math.Floor(low / step), Math.Ceiling(high / step));
        return new(name, first * step, last * step, [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => ((first + i) * step, Text((first + i) * step)))]);
    }

    /// <summary>A dimension's line, with its own values along it.</summary>
    public static Axis Of(Dimension dimension) => dimension switch
    {
        ChoiceDimension choice => new(choice.Name, -0.5, choice.Values.Count - 0.5, [.. choice.Values.Select((value, i) => ((double)i, Text(value)))]),
        NumberDimension { IsLogarithmic: true } number => new(number.Name, 0, 1, TicksAt(number, Powers(number.Low, number.High))),
        NumberDimension number => new(number.Name, 0, 1, TicksAt(number, Of("", [number.Low, number.High]).Ticks.Select(tick => tick.Place).Where(value => value >= number.Low && value <= number.High && (!number.IsInteger || value == Math.Round(value))))),
        _ => throw new ArgumentException($"There is no axis for {dimension.GetType().Name}."),
    };

    /// <summary>A value, short.</summary>
    public static string Text(object? value) => value is double number
        ? Math.Abs(number) is > 0 and < 1e-3 or >= 1e5 ? number.ToString("0.##e0", CultureInfo.InvariantCulture) : number.ToString("0.####", CultureInfo.InvariantCulture)
        : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    private static (double Place, string Text)[] TicksAt(NumberDimension number, IEnumerable<double> values) =>
        [.. values.Select(value => (number.PlaceOf(value), Text(value)))];

    private static IEnumerable<double> Powers(double low, double high)
    {
        var powers = Enumerable.Range(-12, 25).Select(power => Math.Pow(10, power)).Where(value => value >= low * 0.999 && value <= high * 1.001).ToArray();
        return powers.Length >= 2 ? powers : [low, Math.Sqrt(low * high), high];
    }
}
