using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// Ancestral sampling with Euler's steps: as DDPM does, each step removes more noise than it should and adds new noise up to the next
/// level. The split of that level is the posterior's, σ↑² + σ↓² = σ². Reference: diffusers' EulerAncestralDiscreteScheduler, which draws
/// noise in the last step too, where it adds none.
/// </summary>
internal sealed class EulerAncestralScheduler(SchedulerConfig config, NoiseSchedule schedule, SchedulerRun run)
    : SigmaScheduler(config, schedule, Grid(config with { KarrasSigmas = false }, schedule, run.Steps))     // an option of others, which the reference passes over
{
    protected override SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise)
    {
        var (sigma, next) = (Sigmas[call], Sigmas[call + 1]);
        var image = ImageOf(output, x, sigma);
        var (up, down) = Split(sigma, next);
        return new(x.Add(Slope(x, image, sigma).Mul(down - sigma)).Add(noise().Mul(up)), image);
    }

    /// <summary>The part of the next level that is new noise, and the part that is left of the old.</summary>
    public static (float Up, float Down) Split(float sigma, float next)
    {
        var up = MathF.Sqrt(next * next * (sigma * sigma - next * next) / (sigma * sigma));
        return (up, MathF.Sqrt(next * next - up * up));
    }
}
