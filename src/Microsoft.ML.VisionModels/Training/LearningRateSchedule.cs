namespace Microsoft.ML.VisionModels.Training;

/// <summary>Linear warm-up, then half a cosine (Loshchilov and Hutter, 2017) down to near 0.</summary>
internal static class LearningRateSchedule
{
    /// <summary>The learning rate of a step, counted from 0. No step has a rate of 0; step <c>warmup</c> has the peak.</summary>
    public static double At(long step, long totalSteps, double peak, double warmupFraction)
    {
        var warmup = (long)Math.Round(warmupFraction * totalSteps);
        if (step < warmup)
            return peak * (step + 1) / (warmup + 1);
        var progress = (double)(step - warmup) / (totalSteps - warmup); // 0 to below 1
        return peak * 0.5 * (1 + Math.Cos(Math.PI * progress));
    }
}
