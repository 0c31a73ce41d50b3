using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>Functions on which searches are compared; all are to be made small.</summary>
internal sealed record TestFunction(string Name, Space Space, Func<IReadOnlyDictionary<string, object>, double> Value, double Minimum)
{
    /// <summary>Branin and Hoo: three equal minima in the plane.</summary>
    public static TestFunction Branin { get; } = new(
        "Branin",
        new([new("only", [new NumberDimension("x", -5, 10, 2.5), new NumberDimension("y", 0, 15, 7.5)])]),
        at =>
        {
            double x = (double)at["x"], y = (double)at["y"];
            var a = y - 5.1 / (4 * Math.PI * Math.PI) * x * x + 5 / Math.PI * x - 6;
            return a * a + 10 * (1 - 1 / (8 * Math.PI)) * Math.Cos(x) + 10;
        },
        0.397887);

    /// <summary>Hartmann's function of six dimensions, with six local minima.</summary>
    public static TestFunction Hartmann6 { get; } = new(
        "Hartmann-6",
        new([new("only", [.. Enumerable.Range(0, 6).Select(i => new NumberDimension($"x{i}", 0, 1, 0.5))])]),
        at =>
        {
            double[] alpha = [1, 1.2, 3, 3.2];
            double[][] a = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]];
            double[][] p =
            [
                [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
                [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
            ];
            return -Enumerable.Range(0, 4).Sum(i => alpha[i] * Math.Exp(-Enumerable.Range(0, 6).Sum(j => a[i][j] * Math.Pow((double)at[$"x{j}"] - p[i][j], 2))));
        },
        -3.32237);

    /// <summary>What a training looks like: a rate on a logarithmic scale, whole numbers, a choice, and two estimators of which the one has a dimension more.</summary>
    public static TestFunction Mixed { get; } = new(
        "mixed",
        new([
            new("good", [new NumberDimension("rate", 1e-5, 1, 0.1, IsLogarithmic: true), new NumberDimension("size", 1, 8, 1, IsInteger: true), new ChoiceDimension("kind", ["a", "b", "c", "d"], "a")]),
            new("bad", [new NumberDimension("rate", 1e-5, 1, 0.1, IsLogarithmic: true), new NumberDimension("smooth", 0, 1, 0)]),
        ]),
        at =>
        {
            var rate = Math.Pow(Math.Log10((double)at["rate"]) + 3, 2) / 4;
            return at.TryGetValue("smooth", out var smooth)
                ? 0.5 + rate + (double)smooth
                : rate + Math.Abs((int)at["size"] - 6) / 10.0 + ((string)at["kind"] switch { "c" => 0, "b" => 0.1, _ => 0.3 });
        },
        0);

    /// <summary>The smallest value that a search finds.</summary>
    public double Best(ISampler sampler, int trials, int seed)
    {
        var seen = new List<SweepTrial>();
        for (var number = 0; number < trials; number++)
        {
            var history = new SweepHistory(Space, seen, HigherIsBetter: false);
            if (sampler.Propose(history, new Random(unchecked(seed * 1_000_003 + number))) is not { } proposal)
                break;
            seen.Add(new() { Number = number, Candidate = proposal.Candidate, Parameters = proposal.Parameters, State = SweepTrialState.Complete, Score = Value(proposal.Parameters) });
        }
        return seen.Min(trial => trial.Score!.Value);
    }
}
