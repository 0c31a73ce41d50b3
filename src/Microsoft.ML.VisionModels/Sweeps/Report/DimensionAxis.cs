using Microsoft.ML.VisionModels.Reports;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Report;

/// <summary>A hyper-parameter's axis, with its own values along it.</summary>
internal static class DimensionAxis
{
    public static Axis Of(Dimension dimension) => dimension switch
    {
        ChoiceDimension choice => new(choice.Name, -0.5, choice.Values.Count - 0.5, [.. choice.Values.Select((value, i) => ((double)i, Axis.Text(value)))]),
        NumberDimension number => new(number.Name, 0, 1, [.. RoundValues(number).Select(value => (number.PlaceOf(value), Axis.Text(value)))]),
        _ => throw new ArgumentException($"There is no axis for {dimension.GetType().Name}."),
    };

    private static IEnumerable<double> RoundValues(NumberDimension number) => number.IsLogarithmic
        ? Powers(number.Low, number.High)
        : Axis.Of("", [number.Low, number.High]).Ticks.Select(tick => tick.Place)
            .Where(value => value >= number.Low && value <= number.High && (!number.IsInteger || value == Math.Round(value)));

    private static double[] Powers(double low, double high)
    {
        var powers = Enumerable.Range(-12, 25).Select(power => Math.Pow(10, power)).Where(value => value >= low * 0.999 && value <= high * 1.001).ToArray();
        return powers.Length >= 2 ? powers : [low, Math.Sqrt(low * high), high];
    }
}
