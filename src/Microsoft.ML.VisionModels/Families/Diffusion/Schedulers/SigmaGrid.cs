namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>Timesteps with their noise levels: those of training, or some between them.</summary>
/// <param name="Timesteps">From high to low.</param>
/// <param name="Sigmas">The noise in relation to the image at each of these, and after the last.</param>
internal sealed record SigmaGrid(double[] Timesteps, float[] Sigmas)
{
    // The curvature of the noise levels of arXiv 2206.00364.
    private const double Rho = 7;

    /// <summary>Noise levels at the given timesteps or, where the configuration wants them so, spaced by their own rule, and the timesteps of these.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="schedule">The noise levels of training.</param>
    /// <param name="timesteps">The timesteps.</param>
    /// <param name="ends">The range of levels that are spaced by their own rule: whole training's, or that of the timesteps.</param>
    /// <param name="final">The last noise level, given that before.</param>
    public static SigmaGrid Of(SchedulerConfig config, NoiseSchedule schedule, double[] timesteps, SigmaEnds ends, Func<double, double> final)
    {
        double[] sigmas = [.. timesteps.Select(t => Interpolated(schedule.Sigmas, t))];
        var (largest, smallest) = ends == SigmaEnds.Training ? (schedule.Sigmas[^1], schedule.Sigmas[0]) : (sigmas[0], sigmas[^1]);
        return config.KarrasSigmas ? Spaced(schedule, Karras(config, largest, smallest, timesteps.Length), final) : new(timesteps, WithFinal(sigmas, final));
    }

    /// <summary>The grid of given noise levels, with the timesteps to which these belong.</summary>
    public static SigmaGrid Spaced(NoiseSchedule schedule, double[] sigmas, Func<double, double> final)
    {
        float[] logs = [.. schedule.Sigmas.Select(sigma => MathF.Log(sigma))];
        return new([.. sigmas.Select(sigma => TimestepOf(sigma, logs))], WithFinal(sigmas, final));
    }

    /// <summary>Noise levels spaced evenly in their seventh root, from the largest to the smallest (equation 5).</summary>
    public static double[] Karras(SchedulerConfig config, double largest, double smallest, int count)
    {
        var (first, last) = (Math.Pow(config.SigmaMax ?? largest, 1 / Rho), Math.Pow(config.SigmaMin ?? smallest, 1 / Rho));
        return [.. Ramp(count).Select(share => Math.Pow(first + share * (last - first), Rho))];
    }

    /// <summary>Noise levels spaced evenly in their logarithm (arXiv 2206.00927).</summary>
    public static double[] Lu(NoiseSchedule schedule, int count)
    {
        double first = MathF.Log(schedule.Sigmas[^1]), last = MathF.Log(schedule.Sigmas[0]);
        return [.. Ramp(count).Select(share => Math.Exp(first + share * (last - first)))];
    }

    public static float[] WithFinal(double[] sigmas, Func<double, double> final) => [.. sigmas.Append(final(sigmas[^1])).Select(sigma => (float)sigma)];

    private static IEnumerable<double> Ramp(int count) => Enumerable.Range(0, count).Select(i => TimestepGrid.Between(0, 1, i, count));

    private static double Interpolated(float[] values, double at)
    {
        var low = (int)Math.Clamp(Math.Floor(at), 0, values.Length - 1);
        return low == values.Length - 1 ? values[low] : ((double)values[low + 1] - values[low]) * (Math.Max(at, 0) - low) + values[low];
    }

    /// <summary>The timestep of a noise level, which may lie between those of training: interpolated in the logarithm, in float32 as the reference has it.</summary>
    private static double TimestepOf(double sigma, float[] logs)
    {
        var log = (float)Math.Log(Math.Max(sigma, 1e-10));
        var low = Math.Clamp(Array.FindLastIndex(logs, other => log - other >= 0), 0, logs.Length - 2);
        var share = Math.Clamp((logs[low] - log) / (logs[low] - logs[low + 1]), 0f, 1f);
        return (1 - share) * (double)low + (double)share * (low + 1);
    }
}

/// <summary>The range of noise levels that are spaced by their own rule.</summary>
internal enum SigmaEnds
{
    /// <summary>From the first to the last of those at the timesteps.</summary>
    Timesteps,

    /// <summary>All of training.</summary>
    Training,
}
