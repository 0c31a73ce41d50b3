using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// DPM-Solver of one to three steps: the original (Lu et al., arXiv 2206.00927), which solves for the noise, and DPM-Solver++ (Lu et al.,
/// arXiv 2211.01095), which solves for the image; both also as SDE, with noise on the way. Reference: diffusers'
/// DPMSolverMultistepScheduler.
/// </summary>
internal sealed class DpmSolverScheduler : LambdaScheduler
{
    // Below so many steps the last ones are of lower order.
    private const int FewSteps = 15;

    private readonly bool _plusPlus, _noisy;

    public DpmSolverScheduler(SchedulerConfig config, NoiseSchedule schedule, SchedulerRun run) : base(config, schedule, Grid(config, schedule, run.Steps))
    {
        _plusPlus = config.Algorithm is DpmAlgorithm.PlusPlus or DpmAlgorithm.SdePlusPlus;
        _noisy = config.Algorithm is DpmAlgorithm.SdePlusPlus or DpmAlgorithm.SdeOriginal;
        if (config.SolverOrder > (_noisy ? 2 : 3))
            throw new ArgumentException($"There is no DPM-Solver of order {config.SolverOrder} ('solver_order') {(_noisy ? "with noise" : "without noise")} ('algorithm_type'); the highest is {(_noisy ? 2 : 3)}.");
        if (!_plusPlus && config.FinalSigmaOrDefault == FinalSigma.Zero)
            throw new ArgumentException("The first DPM-Solver ('algorithm_type' without ++) cannot end without noise; set 'final_sigmas_type' to 'sigma_min'.");
    }

    protected override SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise)
    {
        var image = ImageOf(output, call, x);
        Outputs.Add(_plusPlus ? image
            : Config.Thresholding ? Levels[call].Noise(PredictionType.Image, image, x)
            : Levels[call].Noise(Config.Prediction, output, x));
        var fresh = _noisy ? noise() : null;
        var previous = Order(call) switch
        {
            1 => First(call, x, fresh),
            2 => Second(call, x, fresh),
            _ => Third(call, x),
        };
        return new(previous, image);
    }

    /// <summary>The order of a step: as many results as there are; the last steps are of lower order where they are few, and the very last one where it ends without noise.</summary>
    private int Order(int call)
    {
        var left = Timesteps.Count - call;
        var few = Config.LowerOrderFinal && Timesteps.Count < FewSteps;
        var first = left == 1 && (few || Config.EulerAtFinal || Config.FinalSigmaOrDefault == FinalSigma.Zero);
        return Math.Min(Outputs.Count, first ? 1 : left == 2 && few ? 2 : 3);
    }

    private Tensor First(int call, Tensor x, Tensor? noise) => Linear(call, x, Outputs[0], noise);

    /// <summary>And the slope of the results, by the last two.</summary>
    private Tensor Second(int call, Tensor x, Tensor? noise)
    {
        var (h, before) = (Width(call), Width(call - 1));
        var slope = (Outputs[0] - Outputs[1]).Mul(1 / (before / h));
        return Linear(call, x, Outputs[0], noise).Add(slope.Mul(Config.Solver == SolverType.Heun ? SlopeWeight(call) : 0.5f * ResultWeight(call)));
    }

    /// <summary>And their curvature, by the last three.</summary>
    private Tensor Third(int call, Tensor x)
    {
        var h = Width(call);
        var (r0, r1) = (Width(call - 1) / h, Width(call - 2) / h);
        var (newer, older) = ((Outputs[0] - Outputs[1]).Mul(1 / r0), (Outputs[1] - Outputs[2]).Mul(1 / r1));
        var slope = newer.Add((newer - older).Mul(r0 / (r0 + r1)));
        var curvature = (newer - older).Mul(1 / (r0 + r1));
        return Linear(call, x, Outputs[0], noise: null).Add(slope.Mul(SlopeWeight(call))).Add(curvature.Mul(CurvatureWeight(call)));
    }

    /// <summary>The step for a result that stays the same: what is linear is exact.</summary>
    private Tensor Linear(int call, Tensor x, Tensor result, Tensor? noise)
    {
        var (level, next, h) = (Levels[call], Levels[call + 1], Width(call));
        var keep = Config.Algorithm switch
        {
            DpmAlgorithm.PlusPlus => next.Sigma / level.Sigma,
            DpmAlgorithm.SdePlusPlus => next.Sigma / level.Sigma * MathF.Exp(-h),
            _ => next.Alpha / level.Alpha,
        };
        var solved = x.Mul(keep).Add(result.Mul(ResultWeight(call)));
        return noise is null ? solved
            : solved.Add(noise.Mul(next.Sigma * MathF.Sqrt(_plusPlus ? 1 - MathF.Exp(-2 * h) : MathF.Exp(2 * h) - 1)));
    }

    /// <summary>What the result, the first term of Taylor's series, is integrated to.</summary>
    private float ResultWeight(int call) => (Levels[call + 1], Width(call)) switch
    {
        var (next, h) when Config.Algorithm == DpmAlgorithm.PlusPlus => -(next.Alpha * (MathF.Exp(-h) - 1)),
        var (next, h) when Config.Algorithm == DpmAlgorithm.SdePlusPlus => next.Alpha * (1 - MathF.Exp(-2 * h)),
        var (next, h) when Config.Algorithm == DpmAlgorithm.Original => -(next.Sigma * (MathF.Exp(h) - 1)),
        var (next, h) => -2 * (next.Sigma * (MathF.Exp(h) - 1)),
    };

    /// <summary>What the slope, the second term, is integrated to.</summary>
    private float SlopeWeight(int call) => (Levels[call + 1], Width(call)) switch
    {
        var (next, h) when Config.Algorithm == DpmAlgorithm.PlusPlus => next.Alpha * ((MathF.Exp(-h) - 1) / h + 1),
        var (next, h) when Config.Algorithm == DpmAlgorithm.SdePlusPlus => next.Alpha * ((1 - MathF.Exp(-2 * h)) / (-2 * h) + 1),
        var (next, h) when Config.Algorithm == DpmAlgorithm.Original => -(next.Sigma * ((MathF.Exp(h) - 1) / h - 1)),
        var (next, h) => -2 * (next.Sigma * ((MathF.Exp(h) - 1) / h - 1)),
    };

    /// <summary>What the curvature, the third term, is integrated to.</summary>
    private float CurvatureWeight(int call)
    {
        var (next, h) = (Levels[call + 1], Width(call));
        return _plusPlus ? -(next.Alpha * ((MathF.Exp(-h) - 1 + h) / (h * h) - 0.5f)) : -(next.Sigma * ((MathF.Exp(h) - 1 - h) / (h * h) - 0.5f));
    }

    /// <summary>The step's width in λ; infinite where it ends without noise.</summary>
    private float Width(int call) => Levels[call + 1].Lambda - Levels[call].Lambda;

    private static SigmaGrid Grid(SchedulerConfig config, NoiseSchedule schedule, int steps)
    {
        double Final(double last) => config.FinalSigmaOrDefault == FinalSigma.Zero ? 0 : schedule.Sigmas[0];

        if (config is { LuLambdas: true, KarrasSigmas: false })
            return SigmaGrid.Spaced(schedule, SigmaGrid.Lu(schedule, steps), Final);
        // Timesteps of too little image are left out.
        var end = schedule.AlphasCumprod.Count(alpha => !(NoiseLevel.OfAlphaCumprod(alpha).Lambda < config.LambdaMinClipped));
        if (end == 0)
            throw new ArgumentException(FormattableString.Invariant($"No timestep has a λ of at least {config.LambdaMinClipped} ('lambda_min_clipped')."));
        return SigmaGrid.Of(config, schedule, TimestepGrid.Of(config, steps, whole: true, skipsFirst: true, end), SigmaEnds.Training, Final);
    }
}
