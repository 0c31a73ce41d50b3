using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// Pseudo numerical methods for diffusion models (Liu et al., arXiv 2202.09778). DDIM's step (equation 11), along a noise that is a
/// combination of several: of four calls within the step for the first three steps (Runge-Kutta), or else of the last four steps
/// (Adams-Bashforth). Where the former are skipped, the first step is done twice, the second time with the mean of both its ends; so
/// there is one call more than there are steps. Reference: diffusers' PNDMScheduler.
/// </summary>
internal sealed class PndmScheduler : DiscreteScheduler
{
    // Steps by Runge-Kutta, and the calls of each.
    private const int StartSteps = 3, StageCalls = 4;

    private readonly int _startCalls, _halfStride;
    private readonly History _noises, _origin, _sum;
    private int _calls;

    public PndmScheduler(SchedulerConfig config, NoiseSchedule schedule, SchedulerRun run) : base(config, schedule, Calls(config, run.Steps), run.Steps)
    {
        _startCalls = config.SkipRungeKutta ? 0 : StartSteps * StageCalls;
        _halfStride = HalfStride(config, run.Steps);
        (_noises, _origin, _sum) = (Remember(4), Remember(1), Remember(1));
    }

    protected override SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise)
    {
        var t = TimestepOf(call);
        var level = Schedule.At(t);
        var previous = _calls < _startCalls ? RungeKutta(output, call, t, x) : Multistep(output, t, x);
        _calls++;
        return new(previous, level.Image(Config.Prediction, output, x));
    }

    /// <summary>A stage of a step by Runge-Kutta: to the middle, to the middle again, to the end, and to the end with all four noises.</summary>
    private Tensor RungeKutta(Tensor output, int call, int t, Tensor x)
    {
        var stage = _calls % StageCalls;
        var previous = stage % 2 == 0 ? t - _halfStride : t;
        if (stage == 0)
        {
            _noises.Add(output);
            _origin.Add(x);
            _sum.Add(output.Mul(1 / 6.0));
        }
        else if (stage < StageCalls - 1)
            _sum.Add(_sum[0].Add(output.Mul(1 / 3.0)));
        else
            output = _sum[0].Add(output.Mul(1 / 6.0));
        // Each stage sets out from where the step began.
        return Transfer(_origin[0], TimestepOf(call - stage), previous, output);
    }

    /// <summary>A step along the last noises, extrapolated by Adams and Bashforth's weights for as many as there are.</summary>
    private Tensor Multistep(Tensor output, int t, Tensor x)
    {
        var previous = Before(t);
        if (_calls == 1)
        {
            // The first step once more, now that there is a noise at its end.
            (previous, t) = (t, t + t - previous);
            return Transfer(_origin[0], t, previous, output.Add(_noises[0]).Div(2));
        }
        _noises.Add(output);
        if (_calls == 0)
            _origin.Add(x);
        return Transfer(x, t, previous, Weighted(_noises.Count switch { 1 => [1], 2 => [3 / 2.0, -1 / 2.0], 3 => [23 / 12.0, -16 / 12.0, 5 / 12.0], _ => [55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0] }));
    }

    private Tensor Weighted(double[] weights) => weights.Select((weight, back) => _noises[back].Mul(weight)).Aggregate((sum, term) => sum.Add(term));

    /// <summary>Equation 11: DDIM's step from t to an earlier timestep, in a form that does not divide by the noise.</summary>
    private Tensor Transfer(Tensor x, int t, int previous, Tensor output)
    {
        var (alpha, alphaBefore) = (AlphaCumprod(t), AlphaCumprod(previous));
        var noise = NoiseLevel.OfAlphaCumprod(alpha).Noise(Config.Prediction, output, x);
        var divisor = alpha * MathF.Sqrt(1 - alphaBefore) + MathF.Sqrt(alpha * (1 - alpha) * alphaBefore);
        return x.Mul(MathF.Sqrt(alphaBefore / alpha)) - noise.Mul(alphaBefore - alpha).Div(divisor);
    }

    private static int HalfStride(SchedulerConfig config, int steps) => config.TrainingSteps / steps / 2;

    private static double[] Calls(SchedulerConfig config, int steps)
    {
        var grid = TimestepGrid.Of(config, steps, whole: true);
        if (config.SkipRungeKutta)
            return steps == 1 ? grid : [grid[0], grid[1], .. grid[1..]];
        if (steps <= StartSteps)
            throw new ArgumentException($"{DiffusionScheduler.Pndm} makes its first {StartSteps} steps by Runge-Kutta, so {steps} are too few: take more, or skip these ('skip_prk_steps').");
        // From each timestep over the middle, asked twice, to the next.
        var start = Enumerable.Range(0, StartSteps).SelectMany(i => new[] { grid[i], grid[i + 1] + HalfStride(config, steps), grid[i + 1] + HalfStride(config, steps), grid[i + 1] });
        return [.. start, .. grid[StartSteps..]];
    }
}
