using Microsoft.ML.Data;
using Microsoft.ML.SearchSpace;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>A sweep without networks: the score of a trial is a function of its options, the best at X = 0.3, Kind = B.</summary>
public static class ToySweep
{
    public enum Kind
    {
        A,
        B,
    }

    public sealed class Options
    {
        [Range(0.0, 1.0, 0.9)]
        public double X { get; set; }

        [Choice(new object[] { Kind.A, Kind.B }, Kind.A)]
        public Kind Kind { get; set; }

        public string Note { get; set; } = "";
    }

    public sealed class Row
    {
        public float Value { get; set; }
    }

    public static SweepMetric Metric { get; } = SweepMetric.Of("Score", (_, scored) => scored.GetColumn<float>("Value").Average());

    public static IDataView Rows(MLContext context) => context.Data.LoadFromEnumerable(new[] { new Row(), new Row() });

    public static float Score(Options options) => (float)(1 - Math.Abs(options.X - 0.3) - (options.Kind == Kind.A ? 0.2 : 0));

    public static IEstimator<ITransformer> Estimator(MLContext context, Options options)
    {
        var score = Score(options);
        return context.Transforms.CustomMapping<Row, Row>((_, scored) => scored.Value = score, contractName: null);
    }
}
