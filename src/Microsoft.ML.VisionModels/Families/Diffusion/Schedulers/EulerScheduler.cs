using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// Euler's method over noise levels (Karras et al., arXiv 2206.00364, algorithm 2 without its correction): a straight step along the
/// slope, perhaps with some noise before it. Reference: diffusers' EulerDiscreteScheduler, which draws that noise even where it adds none.
/// </summary>
internal sealed class EulerScheduler(SchedulerConfig config, NoiseSchedule schedule, SchedulerRun run) : SigmaScheduler(config, schedule, GridOf(config, schedule, run.Steps))
{
    protected override SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise)
    {
        var (sigma, next) = (Sigmas[call], Sigmas[call + 1]);
        var fresh = noise();
        // More noise for a moment: of all the churn the share of one step, which at most doubles the variance.
        var raised = sigma;
        if (run.Churn > 0 && sigma >= run.ChurnFrom && sigma <= run.ChurnTo)
        {
            raised = sigma * (float)(Math.Min(run.Churn / (Sigmas.Length - 1), Math.Sqrt(2) - 1) + 1);
            x = x.Add(fresh.Mul(run.ChurnScale).Mul(MathF.Sqrt(raised * raised - sigma * sigma)));
        }
        // The network was asked before, so a velocity is that of the level without churn.
        var image = ImageOf(output, x, Config.Prediction == PredictionType.Velocity ? sigma : raised);
        return new(x.Add(Slope(x, image, raised).Mul(next - raised)), image);
    }

    private static SigmaGrid GridOf(SchedulerConfig config, NoiseSchedule schedule, int steps)
    {
        double Final(double last) => config.FinalSigmaOrDefault == FinalSigma.Zero ? 0 : schedule.Sigmas[0];

        var grid = SigmaGrid.Of(config, schedule, TimestepGrid.Of(config, steps, whole: false), SigmaEnds.Timesteps, Final);
        if (config.Interpolation == SigmaInterpolation.LogLinear)
        {
            // One more than there are steps: the last of them is where the last step ends.
            double[] sigmas = [.. NoiseSchedule.Evenly(MathF.Log(schedule.Sigmas[^1]), MathF.Log(schedule.Sigmas[0]), steps + 1).Select(log => (double)MathF.Exp(log))];
            grid = config.KarrasSigmas
                ? SigmaGrid.Spaced(schedule, SigmaGrid.Karras(config, sigmas[0], sigmas[^1], steps), Final)
                : grid with { Sigmas = SigmaGrid.WithFinal(sigmas, Final) };
        }
        return config is { TimestepType: TimestepType.Continuous, Prediction: PredictionType.Velocity }
            ? grid with { Timesteps = [.. grid.Sigmas[..^1].Select(sigma => 0.25f * MathF.Log(sigma))] }
            : grid with { Timesteps = [.. grid.Timesteps.Select(t => (double)(float)t)] };
    }
}
