using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>How likely the places of a dimension are.</summary>
internal abstract class Density
{
    public abstract double Draw(Random random);

    /// <summary>The logarithm of a place's density, or probability.</summary>
    public abstract double Log(double place);

    /// <param name="dimension">Whose places they are.</param>
    /// <param name="seen">The places seen, the oldest first.</param>
    public static Density Of(Dimension dimension, IReadOnlyList<double> seen) => dimension is ChoiceDimension choice
        ? new ChoiceDensity(choice.Values.Count, seen, Weights(seen.Count))
        : new ParzenEstimator((NumberDimension)dimension, seen, Weights(seen.Count));

    // The latest 25 count in full, those before them the less the older they are.
    private static double[] Weights(int count)
    {
        const int Recent = 25;
        var older = Math.Max(0, count - Recent);
        return [.. Enumerable.Range(0, count).Select(i => i >= older ? 1 : older == 1 ? 1.0 / count : 1.0 / count + (1 - 1.0 / count) * i / (older - 1))];
    }
}
