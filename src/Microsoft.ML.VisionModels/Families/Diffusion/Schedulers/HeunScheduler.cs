using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// Heun's method over noise levels (Karras et al., arXiv 2206.00364, algorithm 1): Euler's step, and then the same once more along the mean
/// of the slopes at both its ends. The last step, which ends without noise, is Euler's alone; so n steps take 2n - 1 calls. Reference:
/// diffusers' HeunDiscreteScheduler.
/// </summary>
internal sealed class HeunScheduler : SigmaScheduler
{
    // Where the step began and its slope there, while it waits for the call at its end.
    private readonly History _origin, _slope;

    public HeunScheduler(SchedulerConfig config, NoiseSchedule schedule, SchedulerRun run) : base(config, schedule, Doubled(Grid(config, schedule, run.Steps))) =>
        (_origin, _slope) = (Remember(1), Remember(1));

    public override int CallsPerStep => 2;

    protected override SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise)
    {
        var sigma = Sigmas[call];
        var image = ImageOf(output, x, sigma);
        if (Config.ClipOrDefault)
            image = ImageRange.Clip(image, Config.ClipRange);
        var slope = Slope(x, image, sigma);
        if (_origin.Count == 0)
        {
            _origin.Add(x);
            _slope.Add(slope);
            return new(x.Add(slope.Mul(Sigmas[call + 1] - sigma)), image);
        }
        var corrected = _origin[0].Add(_slope[0].Add(slope).Div(2).Mul(sigma - Sigmas[call - 1]));
        _origin.Clear();
        _slope.Clear();
        return new(corrected, image);
    }

    /// <summary>All but the first twice: at the end of a step, and at the beginning of the next.</summary>
    private static SigmaGrid Doubled(SigmaGrid grid) =>
        new([.. grid.Timesteps.Take(1), .. Twice(grid.Timesteps.Skip(1))], [.. grid.Sigmas.Take(1), .. Twice(grid.Sigmas[1..^1]), .. grid.Sigmas.TakeLast(1)]);

    private static IEnumerable<T> Twice<T>(IEnumerable<T> values) => values.SelectMany(value => new[] { value, value });
}
