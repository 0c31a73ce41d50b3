using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>Tries every combination of values, in an order in which even the first trials differ in all hyper-parameters.</summary>
/// <param name="steps">The most values that are tried for a number.</param>
internal sealed class GridSampler(int steps) : ISampler
{
    public Proposal? Propose(SweepHistory history, Random random)
    {
        var space = history.Space;
        var sizes = space.Branches.Select(branch => branch.Dimensions.Aggregate(1L, (product, dimension) => checked(product * StepsOf(dimension)))).ToArray();
        long total = sizes.Sum(), number = history.Next;
        if (number >= total)
            return null;

        // A stride without a common factor with the total visits every cell once, and each far from the one before.
        var cell = (long)((Int128)number * Stride(total) % total);
        var b = 0;
        for (; cell >= sizes[b]; b++)
            cell -= sizes[b];
        return space.Branches[b].At(space.Branches[b].Dimensions.Select(dimension =>
        {
            (cell, var step) = Math.DivRem(cell, StepsOf(dimension));
            return PlaceOf(dimension, (int)step);
        }));
    }

    private int StepsOf(Dimension dimension) => dimension is ChoiceDimension choice ? choice.Values.Count : Math.Min(steps, dimension.Count ?? int.MaxValue);

    private double PlaceOf(Dimension dimension, int step)
    {
        if (dimension is ChoiceDimension)
            return step;
        var count = StepsOf(dimension);
        if (dimension is NumberDimension { IsInteger: true } number && count == number.Count)
            return number.PlaceOf(number.Low + step);
        return count == 1 ? dimension.Initial : (double)step / (count - 1);
    }

    private static long Stride(long total)
    {
        var stride = Math.Max(1, (long)(total * 0.6180339887));
        while (GreatestCommonDivisor(stride, total) != 1)
            stride++;
        return stride;

        static long GreatestCommonDivisor(long a, long b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
    }
}
