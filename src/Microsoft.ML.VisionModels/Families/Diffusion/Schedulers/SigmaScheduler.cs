using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// A scheduler in the manner of Karras et al. (arXiv 2206.00364): its x is the image with noise of deviation σ added and nothing taken
/// away, x = x₀ + σ ε, and the slope dx/dσ is ε. The network, which knows images and noise of unit variance together, sees x / √(σ² + 1).
/// </summary>
internal abstract class SigmaScheduler(SchedulerConfig config, NoiseSchedule schedule, SigmaGrid grid) : Scheduler(config, schedule, grid.Timesteps)
{
    public override double InitialNoiseScale => Config.SpacingOrDefault == TimestepSpacing.Leading ? MathF.Sqrt(Sigmas.Max() * Sigmas.Max() + 1) : Sigmas.Max();

    /// <summary>σ before each call, and after the last.</summary>
    public float[] Sigmas { get; } = grid.Sigmas;

    public override Tensor ScaleModelInput(Tensor x, int call) => Scaled(x, Sigmas[call]);

    public override Tensor AddNoise(Tensor clean, Tensor noise, int call) => clean.Add(noise.Mul(Sigmas[call]));

    /// <summary>x as the network sees it.</summary>
    protected static Tensor Scaled(Tensor x, float sigma) => x.Div(MathF.Sqrt(sigma * sigma + 1));

    /// <summary>x₀, of what the network says of x.</summary>
    protected Tensor ImageOf(Tensor output, Tensor x, float sigma) => Config.Prediction switch
    {
        PredictionType.Noise => x - output.Mul(sigma),
        PredictionType.Image => output,
        _ => output.Mul(-sigma / MathF.Sqrt(sigma * sigma + 1)).Add(x.Div(sigma * sigma + 1)),
    };

    /// <summary>dx/dσ.</summary>
    protected static Tensor Slope(Tensor x, Tensor image, float sigma) => (x - image).Div(sigma);

    /// <summary>Noise levels at the timesteps, which need not be whole, or Karras'; and none after the last step.</summary>
    protected static SigmaGrid Grid(SchedulerConfig config, NoiseSchedule schedule, int steps) =>
        SigmaGrid.Of(config, schedule, TimestepGrid.Of(config, steps, whole: false), SigmaEnds.Timesteps, _ => 0);
}
