namespace Microsoft.ML.VisionModels.Training;

/// <summary>How the learning rate, or something else that a step needs, runs through a training.</summary>
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
        return step < warmup ? (double)(step + 1) / (warmup + 1) : CosineBetween.At(1, 0, (double)(step - warmup) / (total - warmup));
    }
}

/// <summary>
/// Linear warm-up from 0, then half a cosine down to a share that is kept, as self-supervised methods have it. The first step of a
/// warm-up changes nothing.
/// </summary>
/// <param name="warmupFraction">The share of all steps in which the rate rises, 0 to below 1.</param>
/// <param name="final">The share that the cosine falls to.</param>
/// <param name="peakInWarmup">Whether the last step of the warm-up has the highest rate (DINO), and not the one after it (MAE).</param>
internal sealed class CosineFromZero(double warmupFraction, double final, bool peakInWarmup) : ISchedule
{
    public double ShareAt(long step, long total)
    {
        var warmup = (long)Math.Round(warmupFraction * total);
        if (step >= warmup)
            return CosineBetween.At(1, final, (double)(step - warmup) / (total - warmup));
        return peakInWarmup ? (double)step / Math.Max(1, warmup - 1) : (double)step / warmup;
    }
}

/// <summary>Half a cosine from one share to another: of DINO's weight decay, and of the momentum of a teacher (BYOL).</summary>
internal sealed class CosineBetween(double from, double to) : ISchedule
{
    public double ShareAt(long step, long total) => At(from, to, (double)step / total);

    /// <param name="from">The value at the beginning.</param>
    /// <param name="to">The value at the end.</param>
    /// <param name="done">How much is done, 0 to 1.</param>
    public static double At(double from, double to, double done) => to + (from - to) * (1 + Math.Cos(Math.PI * done)) / 2;
}
