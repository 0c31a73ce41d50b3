using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// DPM-Solver++'s step of second order with noise (Lu et al., arXiv 2211.01095), over noise levels: a step to the middle in log σ, and from
/// its beginning again, with what the network says there, to the end. Both get noise of one Brownian motion, so that the second has what the
/// first had. The last step, which ends without noise, is one call alone. Reference: diffusers' DPMSolverSDEScheduler, whose noise comes of
/// a tree with a seed of its own; here it is the caller's.
/// </summary>
internal sealed class DpmSolverSdeScheduler : SigmaScheduler
{
    // Where the step began, and the noise of its first half, while it waits for the call in its middle.
    private readonly History _origin, _noise;

    public DpmSolverSdeScheduler(SchedulerConfig config, NoiseSchedule schedule, SchedulerRun run) : base(config, schedule, WithMiddles(Grid(config, schedule, run.Steps), schedule)) =>
        (_origin, _noise) = (Remember(1), Remember(1));

    public override int CallsPerStep => 2;

    protected override SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise)
    {
        var (sigma, next) = (Sigmas[call], Sigmas[call + 1]);
        var image = ImageOf(output, x, sigma);
        if (next == 0)
            return new(image, image);
        var fresh = noise();
        if (_origin.Count == 0)
        {
            _origin.Add(x);
            _noise.Add(fresh);
            return new(Move(x, image, sigma, next, fresh), image);
        }
        // The motion from the beginning to the end is that to the middle and that from there.
        var begin = Sigmas[call - 1];
        var whole = _noise[0].Mul(MathF.Sqrt(begin - sigma)).Add(fresh.Mul(MathF.Sqrt(sigma - next))).Div(MathF.Sqrt(begin - next));
        var previous = Move(_origin[0], image, begin, next, whole);
        _origin.Clear();
        _noise.Clear();
        return new(previous, image);
    }

    /// <summary>From one noise level to another: of the noise at x a part is kept, and the rest is new.</summary>
    private static Tensor Move(Tensor x, Tensor image, float sigma, float next, Tensor noise)
    {
        var (up, down) = EulerAncestralScheduler.Split(sigma, next);
        return image.Add((x - image).Mul(down / sigma)).Add(noise.Mul(up));
    }

    /// <summary>The levels with those in the middle of each two, in log σ.</summary>
    private static SigmaGrid WithMiddles(SigmaGrid grid, NoiseSchedule schedule)
    {
        double[] middles = [.. grid.Sigmas[..^1].Zip(grid.Sigmas[1..^1], (high, low) => Math.Sqrt((double)high * low))];
        var between = SigmaGrid.Spaced(schedule, middles, _ => 0);
        return new([.. Merged(grid.Timesteps, between.Timesteps)], [.. Merged(grid.Sigmas[..^1], between.Sigmas[..^1]), 0]);
    }

    private static IEnumerable<T> Merged<T>(T[] values, T[] between) => values.SelectMany((value, i) => between.Skip(i).Take(1).Prepend(value));
}
