namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>Which of the training's timesteps are taken.</summary>
internal static class TimestepGrid
{
    /// <summary>So many timesteps, from high to low.</summary>
    /// <param name="config">The spacing, and the timesteps of training.</param>
    /// <param name="steps">How many.</param>
    /// <param name="whole">Whether those of <see cref="TimestepSpacing.Linspace"/> are rounded; they are numbers of float32 otherwise.</param>
    /// <param name="skipsFirst">Whether training's first timestep is left out, as it is where the last step ends there.</param>
    /// <param name="end">The timestep before which they begin; null for all of training.</param>
    /// <exception cref="ArgumentException">There is no room for them.</exception>
    public static double[] Of(SchedulerConfig config, int steps, bool whole, bool skipsFirst = false, int? end = null)
    {
        var last = end ?? config.TrainingSteps;
        var points = skipsFirst ? steps + 1 : steps;
        var low = skipsFirst ? 1 : 0;
        switch (config.SpacingOrDefault)
        {
            case TimestepSpacing.Linspace:
                var evenly = Enumerable.Range(low, steps).Select(i => Between(0, last - 1, i, points));
                return Descending(evenly.Select(t => whole ? Math.Round(t) : (float)t));
            case TimestepSpacing.Leading:
                var stride = last / points;
                if (stride == 0)
                    throw new ArgumentException($"{steps} steps are too many for {last} timesteps with leading spacing ('timestep_spacing'), which here skips the first; take fewer steps or another spacing.");
                return Descending(Enumerable.Range(low, steps).Select(i => (double)i * stride + config.StepsOffset));
            default:
                // From the end by the stride, as NumPy's arange adds it up; for some numbers of steps it ends one beyond the last.
                var back = -(config.TrainingSteps / (double)steps);
                var count = Math.Min(steps, (int)Math.Ceiling((0 - last) / back));
                return [.. Enumerable.Range(0, count).Select(i => Math.Round(last + i * (last + back - last)) - 1)];
        }
    }

    /// <summary>The i-th of so many numbers that lie evenly between two.</summary>
    public static double Between(double first, double last, int i, int count) =>
        i == 0 ? first : i == count - 1 ? last : i * ((last - first) / (count - 1)) + first;

    private static double[] Descending(IEnumerable<double> timesteps) => [.. timesteps.Reverse()];
}
