using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>
/// A multistep solver in λ = log(α / σ), in which what is linear in the diffusion's equation is solved exactly: DPM-Solver and UniPC. Its x
/// is the forward process' own. It steps along what it makes of the network's results, of the image or of the noise: the last few of them.
/// </summary>
internal abstract class LambdaScheduler : Scheduler
{
    protected LambdaScheduler(SchedulerConfig config, NoiseSchedule schedule, SigmaGrid grid) : base(config, schedule, [.. grid.Timesteps.Select(t => Math.Round(t))])
    {
        Levels = [.. grid.Sigmas.Select(NoiseLevel.OfSigma)];
        Outputs = Remember(config.SolverOrder);
    }

    /// <summary>How much of image and noise there is before each call, and after the last.</summary>
    public NoiseLevel[] Levels { get; }

    /// <summary>What was made of the network's results, the newest first.</summary>
    protected History Outputs { get; }

    public override Tensor AddNoise(Tensor clean, Tensor noise, int call) => Levels[call].Mix(clean, noise);

    /// <summary>The image, of what the network says.</summary>
    protected Tensor ImageOf(Tensor output, int call, Tensor x)
    {
        var image = Levels[call].Image(Config.Prediction, output, x);
        return Config.Thresholding ? ImageRange.Threshold(image, Config.ThresholdQuantile, Config.ThresholdMax) : image;
    }
}
