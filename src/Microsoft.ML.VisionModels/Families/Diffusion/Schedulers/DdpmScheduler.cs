using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// Denoising diffusion probabilistic models (Ho et al., arXiv 2006.11239, algorithm 2; variances also arXiv 2102.09672). Reference:
/// diffusers' DDPMScheduler. The step before t is t - N / n, not the next entry of the list, unless the list was given.
/// </summary>
internal sealed class DdpmScheduler(SchedulerConfig config, NoiseSchedule schedule, SchedulerRun run) : DiscreteScheduler(
    config,
    schedule,
    run.Timesteps is { } given ? [.. given.Select(t => (double)t)] : TimestepGrid.Of(config, run.Steps, whole: true),
    run.Timesteps?.Count ?? run.Steps)
{
    // The smallest variance: that of the last step is 0, which has no logarithm.
    private const float LeastVariance = 1e-20f;

    protected override SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise)
    {
        var t = TimestepOf(call);
        var previous = run.Timesteps is null ? Before(t) : call + 1 < Timesteps.Count ? TimestepOf(call + 1) : -1;
        var (alpha, alphaBefore) = (Schedule.AlphasCumprod[t], previous >= 0 ? Schedule.AlphasCumprod[previous] : 1);
        var (alphaStep, betaStep) = (alpha / alphaBefore, 1 - alpha / alphaBefore);

        var image = Limited(NoiseLevel.OfAlphaCumprod(alpha).Image(Config.Prediction, output, x));
        // Equation 7: the mean of the posterior for this image.
        var mean = image.Mul(MathF.Sqrt(alphaBefore) * betaStep / (1 - alpha)).Add(x.Mul(MathF.Sqrt(alphaStep) * (1 - alphaBefore) / (1 - alpha)));
        if (t == 0)
            return new(mean, image);

        var smallest = MathF.Max((1 - alphaBefore) / (1 - alpha) * betaStep, LeastVariance);
        return new(mean.Add(Scaled(noise(), smallest, betaStep, variance)), image);
    }

    /// <summary>Noise of the variance that the configuration wants.</summary>
    /// <param name="noise">Noise of variance 1.</param>
    /// <param name="smallest">The posterior's variance for a known image.</param>
    /// <param name="largest">β, its variance for an image of which nothing is known.</param>
    /// <param name="learned">What the network says, if it does.</param>
    private Tensor Scaled(Tensor noise, float smallest, float largest, Tensor? learned) => (Config.Variance ?? VarianceType.FixedSmall) switch
    {
        VarianceType.FixedSmall => noise.Mul(MathF.Sqrt(smallest)),
        VarianceType.FixedSmallLog => noise.Mul(MathF.Exp(0.5f * MathF.Log(smallest))),
        // Of "fixed_large_log" the reference takes the root of a negative logarithm; this is what it means.
        VarianceType.FixedLarge or VarianceType.FixedLargeLog => noise.Mul(MathF.Sqrt(largest)),
        VarianceType.Learned => Said(learned).sqrt() * noise,
        _ => Between(MathF.Log(smallest), MathF.Log(largest), Said(learned).Add(1).Div(2)).Mul(0.5).exp() * noise,
    };

    private static Tensor Between(float least, float most, Tensor share) => share.Mul(most).Add(share.neg().Add(1).Mul(least));

    private Tensor Said(Tensor? learned) => learned
        ?? throw new ArgumentException($"The variance is {Config.Variance} ('variance_type'), but the network says none: its output has as many channels as its input. Take a fixed variance.");
}
