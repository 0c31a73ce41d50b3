using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// Denoising diffusion implicit models (Song et al., arXiv 2010.02502, equations 12 and 16): to the image that the network imagines, and
/// from there back to the noise of an earlier timestep. Reference: diffusers' DDIMScheduler.
/// </summary>
internal sealed class DdimScheduler(SchedulerConfig config, NoiseSchedule schedule, SchedulerRun run)
    : DiscreteScheduler(config, schedule, TimestepGrid.Of(config, run.Steps, whole: true), run.Steps)
{
    protected override SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise)
    {
        var t = TimestepOf(call);
        var (alpha, alphaBefore) = (AlphaCumprod(t), AlphaCumprod(Before(t)));
        var level = NoiseLevel.OfAlphaCumprod(alpha);

        var image = Limited(level.Image(Config.Prediction, output, x));
        var direction = run.UseClippedOutput ? level.Noise(PredictionType.Image, image, x) : level.Noise(Config.Prediction, output, x);
        // Of the noise at the earlier timestep, so much is new: all of DDPM's with η = 1, none with 0.
        var fresh = (float)run.Eta * MathF.Sqrt((1 - alphaBefore) / (1 - alpha) * (1 - alpha / alphaBefore));
        var previous = image.Mul(MathF.Sqrt(alphaBefore)).Add(direction.Mul(MathF.Sqrt(1 - alphaBefore - fresh * fresh)));
        return new(run.Eta > 0 ? previous.Add(noise().Mul(fresh)) : previous, image);
    }
}
