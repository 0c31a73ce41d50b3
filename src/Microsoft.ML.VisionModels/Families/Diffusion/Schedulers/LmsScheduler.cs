using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// A linear multistep method over noise levels: the slope between two levels is the polynomial through the last few slopes, and the step
/// its integral. Reference: diffusers' LMSDiscreteScheduler, after k-diffusion.
/// </summary>
internal sealed class LmsScheduler : SigmaScheduler
{
    private readonly History _slopes;

    public LmsScheduler(SchedulerConfig config, NoiseSchedule schedule, SchedulerRun run) : base(config, schedule, Grid(config, schedule, run.Steps)) =>
        _slopes = Remember(run.MultistepOrder);

    protected override SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise)
    {
        var image = ImageOf(output, x, Sigmas[call]);
        _slopes.Add(Slope(x, image, Sigmas[call]));
        var step = Enumerable.Range(0, _slopes.Count).Select(back => _slopes[back].Mul(Weight(call, back))).Aggregate((sum, term) => sum.Add(term));
        return new(x.Add(step), image);
    }

    /// <summary>The integral, over this step, of Lagrange's polynomial that is 1 at the level of the given earlier call and 0 at those of the others.</summary>
    private double Weight(int call, int back)
    {
        // As a polynomial in σ, lowest power first, in double; from this call's level on, where it is small.
        double here = Sigmas[call];
        double[] polynomial = [1];
        for (var other = 0; other < _slopes.Count; other++)
        {
            if (other == back)
                continue;
            var (root, scale) = (Sigmas[call - other] - here, 1 / ((double)Sigmas[call - back] - Sigmas[call - other]));
            polynomial = [.. Enumerable.Range(0, polynomial.Length + 1).Select(power =>
                ((power > 0 ? polynomial[power - 1] : 0) - (power < polynomial.Length ? root * polynomial[power] : 0)) * scale)];
        }
        var length = Sigmas[call + 1] - here;
        return polynomial.Select((factor, power) => factor * Math.Pow(length, power + 1) / (power + 1)).Sum();
    }
}
