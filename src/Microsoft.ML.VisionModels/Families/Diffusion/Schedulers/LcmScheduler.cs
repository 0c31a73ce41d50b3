using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// Latent consistency models (Luo et al., arXiv 2310.04378; multistep sampling of arXiv 2303.01469, algorithm 1): the network says the
/// image, which gets new noise for the next, lower timestep. Timesteps are some of those that the model was distilled at. Reference:
/// diffusers' LCMScheduler.
/// </summary>
internal sealed class LcmScheduler(SchedulerConfig config, NoiseSchedule schedule, SchedulerRun run)
    : DiscreteScheduler(config, schedule, Grid(config, run), run.Timesteps?.Count ?? run.Steps)
{
    // The standard deviation of images, for the weights below.
    private const float DataDeviation = 0.5f;

    protected override SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise)
    {
        var t = TimestepOf(call);
        var image = Limited(Schedule.At(t).Image(Config.Prediction, output, x));
        // Weights by which the result at timestep 0 is x itself, whatever the network says.
        var scaled = t * (float)Config.TimestepScaling;
        var (skip, scale) = (DataDeviation * DataDeviation / (scaled * scaled + DataDeviation * DataDeviation), scaled / MathF.Sqrt(scaled * scaled + DataDeviation * DataDeviation));
        var denoised = image.Mul(scale).Add(x.Mul(skip));
        return new(call < Timesteps.Count - 1 ? Schedule.At(TimestepOf(call + 1)).Mix(denoised, noise()) : denoised, denoised);
    }

    private static double[] Grid(SchedulerConfig config, SchedulerRun run)
    {
        if (run.Timesteps is { } given)
        {
            var taken = (int)(given.Count * run.Strength);
            return taken > 0 ? [.. given.TakeLast(taken).Select(t => (double)t)] : throw new ArgumentException($"Of {given.Count} timesteps a strength of {run.Strength} leaves none.");
        }

        var original = run.OriginalSteps ?? config.OriginalSteps;
        if (original < 1 || original > config.TrainingSteps)
            throw new ArgumentException($"The model cannot have been distilled in {original} steps; there must be from 1 to {config.TrainingSteps}.");
        var distilled = (int)(original * run.Strength);
        if (run.Steps > distilled)
            throw new ArgumentException($"{run.Steps} steps are too many: the model was distilled in {original}, of which a strength of {run.Strength} leaves {distilled}. Take fewer steps, or more strength.");

        var stride = config.TrainingSteps / original;
        var apart = distilled / (double)run.Steps;
        return [.. Enumerable.Range(0, run.Steps).Select(i => (double)((distilled - (int)Math.Floor(i * apart)) * stride - 1))];
    }
}
