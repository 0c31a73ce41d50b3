namespace Microsoft.ML.VisionModels.Training;

/// <summary>How the learning rate runs through a training.</summary>
internal interface ISchedule
{
    /// <summary>The share of the highest rate that a step has, counted from 0 to below <paramref name="total"/>.</summary>
    double ShareAt(long step, long total);
}

/// <summary>Linear warm-up, then half a cosine (Loshchilov and Hutter, 2017) down to near 0. No step has a share of 0.</summary>
/// <param name="warmupFraction">The share of all steps in which the rate rises, 0 to below 1.</param>
internal sealed class CosineSchedule(double warmupFraction) : ISchedule
{
    public double ShareAt(long step, long total)
    {
        var warmup = (long)Math.Round(warmupFraction * total);
        if (step < warmup)
            return (double)(step + 1) / (warmup + 1);
        var progress = (double)(step - warmup) / (total - warmup);  // 0 to below 1
        return 0.5 * (1 + Math.Cos(Math.PI * progress));
    }
}
