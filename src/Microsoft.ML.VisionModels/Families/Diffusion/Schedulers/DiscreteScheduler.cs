using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>A scheduler that goes from one of training's timesteps to an earlier one, whose x is the forward process' own.</summary>
internal abstract class DiscreteScheduler : Scheduler
{
    private readonly int _stride;

    /// <param name="config">The configuration.</param>
    /// <param name="schedule">Its noise.</param>
    /// <param name="timesteps">The timesteps.</param>
    /// <param name="steps">How many steps the whole way has.</param>
    protected DiscreteScheduler(SchedulerConfig config, NoiseSchedule schedule, double[] timesteps, int steps) : base(config, schedule, timesteps)
    {
        if (timesteps[0] >= schedule.Count)
            throw new ArgumentException($"{steps} steps with an offset of {config.StepsOffset} ('steps_offset') begin at timestep {timesteps[0]}, but the last of training is {schedule.Count - 1}; take fewer steps.");
        _stride = config.TrainingSteps / steps;
    }

    public override Tensor AddNoise(Tensor clean, Tensor noise, int call) => Schedule.At(TimestepOf(call)).Mix(clean, noise);

    protected int TimestepOf(int call) => (int)Timesteps[call];

    /// <summary>The timestep one step earlier than another: by a fixed stride, whatever the next of <see cref="Scheduler.Timesteps"/> is. Below 0 after the last step.</summary>
    protected int Before(int timestep) => timestep - _stride;

    /// <summary>ᾱ at a timestep, or after the last step.</summary>
    protected float AlphaCumprod(int timestep) =>
        timestep >= 0 ? Schedule.AlphasCumprod[timestep] : Config.FinalAlphaIsOneOrDefault ? 1 : Schedule.AlphasCumprod[0];

    /// <summary>What the network says of the image, held within its range as the configuration wants it.</summary>
    protected Tensor Limited(Tensor image) =>
        Config.Thresholding ? ImageRange.Threshold(image, Config.ThresholdQuantile, Config.ThresholdMax)
        : Config.ClipOrDefault ? ImageRange.Clip(image, Config.ClipRange)
        : image;
}
