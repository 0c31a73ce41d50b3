namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>How a scheduler is to run this time: what callers choose for each image, and no configuration says.</summary>
internal sealed record SchedulerRun
{
    /// <summary>The number of steps, unless there are <see cref="Timesteps"/>.</summary>
    public int Steps { get; init; }

    /// <summary>For DDPM and LCM: the timesteps to take, from high to low, instead of so many.</summary>
    public IReadOnlyList<int>? Timesteps { get; init; }

    /// <summary>For LCM: how much of the way from noise to image is gone, from 0 to 1.</summary>
    public double Strength { get; init; } = 1;

    /// <summary>For LCM: the steps that its model was distilled in; null for what its configuration says.</summary>
    public int? OriginalSteps { get; init; }

    /// <summary>For DDIM: how much of DDPM's noise is added in a step; 0 for none, 1 for all.</summary>
    public double Eta { get; init; }

    /// <summary>For DDIM: whether the noise is derived again of the image that was held within its range.</summary>
    public bool UseClippedOutput { get; init; }

    /// <summary>For Euler: how much noise is added before its steps, all together, and removed by them (S_churn of arXiv 2206.00364).</summary>
    public double Churn { get; init; }

    /// <summary>For Euler: the lowest noise level at which <see cref="Churn"/> adds some.</summary>
    public double ChurnFrom { get; init; }

    /// <summary>For Euler: the highest noise level at which <see cref="Churn"/> adds some.</summary>
    public double ChurnTo { get; init; } = double.PositiveInfinity;

    /// <summary>For Euler: what the noise of <see cref="Churn"/> is multiplied with.</summary>
    public double ChurnScale { get; init; } = 1;

    /// <summary>For LMS: how many slopes it combines, at most.</summary>
    public int MultistepOrder { get; init; } = 4;

    /// <exception cref="ArgumentException">There are no such steps; the message names what is wrong.</exception>
    public void Validate(SchedulerConfig config)
    {
        if (Timesteps is { } timesteps)
        {
            if (config.Scheduler is not (DiffusionScheduler.Ddpm or DiffusionScheduler.Lcm))
                throw new ArgumentException($"{config.Scheduler} chooses its timesteps itself; {DiffusionScheduler.Ddpm} and {DiffusionScheduler.Lcm} take such a list.");
            if (timesteps.Count == 0 || timesteps[0] >= config.TrainingSteps || timesteps[^1] < 0 || timesteps.Zip(timesteps.Skip(1)).Any(pair => pair.First <= pair.Second))
                throw new ArgumentException($"Timesteps must go down from at most {config.TrainingSteps - 1} to at least 0; those given are {string.Join(", ", timesteps.Take(20))}.");
        }
        else if (Steps < 1 || Steps > config.TrainingSteps)
            throw new ArgumentException($"The number of steps must be from 1 to {config.TrainingSteps}, the timesteps of the model's training, not {Steps}.");
        if (!(Strength is > 0 and <= 1))
            throw new ArgumentException($"The strength must be above 0 and at most 1, not {Strength}.");
        if (!(Eta >= 0 && double.IsFinite(Eta)))
            throw new ArgumentException($"Eta must be 0 or a positive number, not {Eta}.");
        if (!(Churn >= 0 && double.IsFinite(Churn)))
            throw new ArgumentException($"The churn must be 0 or a positive number, not {Churn}.");
        if (MultistepOrder < 1)
            throw new ArgumentException($"The order of a multistep method must be at least 1, not {MultistepOrder}.");
    }
}
