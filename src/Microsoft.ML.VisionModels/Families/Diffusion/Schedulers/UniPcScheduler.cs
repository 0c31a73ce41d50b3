using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// UniPC (Zhao et al., arXiv 2302.04867): each step is predicted of the last results, and corrected as soon as there is the one at its end,
/// by the same formula with one more term. So the correction costs no call. Reference: diffusers' UniPCMultistepScheduler.
/// </summary>
internal sealed class UniPcScheduler : LambdaScheduler
{
    // Where the last prediction set out from, and its order.
    private readonly History _origin;
    private int _order;

    public UniPcScheduler(SchedulerConfig config, NoiseSchedule schedule, SchedulerRun run) : base(config, schedule, Grid(config, schedule, run.Steps)) =>
        _origin = Remember(1);

    protected override SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise)
    {
        var image = ImageOf(output, call, x);
        var result = Config.PredictsImage ? image : Levels[call].Noise(Config.Prediction, output, x);
        if (_origin.Count > 0 && !Config.UncorrectedSteps.Contains(call - 1))
            x = Transfer(call - 1, _origin[0], _order, result);

        Outputs.Add(result);
        _origin.Add(x);
        _order = Math.Min(Outputs.Count, Config.LowerOrderFinal ? Timesteps.Count - call : Config.SolverOrder);
        return new(Transfer(call, x, _order, atEnd: null), image);
    }

    /// <summary>A step from one level to the next (algorithms 5 and 6 for the image, 1 and 2 for the noise).</summary>
    /// <param name="call">The level from which it goes.</param>
    /// <param name="x">The image there.</param>
    /// <param name="order">How many results it uses, of which the last is that at its beginning.</param>
    /// <param name="atEnd">The result at its end, for a correction; null for a prediction.</param>
    private Tensor Transfer(int call, Tensor x, int order, Tensor? atEnd)
    {
        var (level, next) = (Levels[call], Levels[call + 1]);
        double h = next.Lambda - level.Lambda;

        // The other results, by their places in λ: before the step's beginning, which is 0, and at its end, which is 1.
        var places = new List<double>();
        var differences = new List<Tensor>();
        for (var back = 1; back < order; back++)
        {
            places.Add((Levels[call - back].Lambda - level.Lambda) / h);
            differences.Add((Outputs[back] - Outputs[0]).Div(places[^1]));
        }
        if (atEnd is not null)
        {
            places.Add(1);
            differences.Add(atEnd - Outputs[0]);
        }

        var signed = Config.PredictsImage ? -h : h;
        var grown = Math.Exp(signed) - 1;
        var (keep, reach) = Config.PredictsImage ? (next.Sigma / level.Sigma, next.Alpha) : (next.Alpha / level.Alpha, next.Sigma);
        var solved = x.Mul(keep) - Outputs[0].Mul(reach * grown);
        if (differences.Count == 0)
            return solved;
        // B(h), which is free but for its limit.
        var scale = Config.Solver == SolverType.Bh1 ? signed : grown;
        return solved - Weights(places, signed, scale).Select((weight, i) => differences[i].Mul(weight)).Aggregate((sum, term) => sum.Add(term)).Mul(reach * scale);
    }

    /// <summary>The weights of the differences with which the step is exact for polynomials (equation 5); of a single one it is a half.</summary>
    private static double[] Weights(List<double> places, double signed, double scale)
    {
        var count = places.Count;
        if (count == 1)
            return [0.5];
        var powers = new double[count, count];
        var moments = new double[count];
        var (moment, factorial) = ((Math.Exp(signed) - 1) / signed - 1, 1.0);
        for (var power = 0; power < count; power++)
        {
            for (var i = 0; i < count; i++)
                powers[power, i] = Math.Pow(places[i], power);
            moments[power] = moment * factorial / scale;
            factorial *= power + 2;
            moment = moment / signed - 1 / factorial;
        }
        return [.. linalg.solve(tensor(powers), tensor(moments)).data<double>()];
    }

    private static SigmaGrid Grid(SchedulerConfig config, NoiseSchedule schedule, int steps)
    {
        double Final(double last) => config.FinalSigmaOrDefault == FinalSigma.Zero ? 0 : config.KarrasSigmas ? last : schedule.Sigmas[0];

        return SigmaGrid.Of(config, schedule, TimestepGrid.Of(config, steps, whole: true, skipsFirst: true), SigmaEnds.Training, Final);
    }
}
