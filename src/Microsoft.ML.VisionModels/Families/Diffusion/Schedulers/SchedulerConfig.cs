using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>What the network says of a noisy image x = α x₀ + σ ε.</summary>
internal enum PredictionType
{
    /// <summary>The noise ε.</summary>
    [ConfigName("epsilon")]
    Noise,

    /// <summary>The image x₀.</summary>
    [ConfigName("sample", "original_sample")]
    Image,

    /// <summary>The velocity α ε - σ x₀ (arXiv 2202.00512).</summary>
    [ConfigName("v_prediction")]
    Velocity,
}

/// <summary>Which of the training's timesteps are taken (arXiv 2305.08891, table 2).</summary>
internal enum TimestepSpacing
{
    /// <summary>Evenly from the first to the last.</summary>
    [ConfigName("linspace")]
    Linspace,

    /// <summary>Every so many, counted from the first.</summary>
    [ConfigName("leading")]
    Leading,

    /// <summary>Every so many, counted from the last.</summary>
    [ConfigName("trailing")]
    Trailing,
}

/// <summary>The variance of the noise that DDPM adds.</summary>
internal enum VarianceType
{
    /// <summary>That of the true posterior for a known image.</summary>
    [ConfigName("fixed_small")]
    FixedSmall,

    /// <summary>The same, by way of its logarithm.</summary>
    [ConfigName("fixed_small_log")]
    FixedSmallLog,

    /// <summary>β.</summary>
    [ConfigName("fixed_large")]
    FixedLarge,

    /// <summary>The same, by way of its logarithm.</summary>
    [ConfigName("fixed_large_log")]
    FixedLargeLog,

    /// <summary>What the network says.</summary>
    [ConfigName("learned")]
    Learned,

    /// <summary>Between the two fixed ones, where the network says (arXiv 2102.09672).</summary>
    [ConfigName("learned_range")]
    LearnedRange,
}

/// <summary>The equation that DPM-Solver solves: for the noise or, ++, for the image; without noise on the way or, SDE, with it.</summary>
internal enum DpmAlgorithm
{
    [ConfigName("dpmsolver++", "deis")]
    PlusPlus,

    [ConfigName("dpmsolver")]
    Original,

    [ConfigName("sde-dpmsolver++")]
    SdePlusPlus,

    [ConfigName("sde-dpmsolver")]
    SdeOriginal,
}

/// <summary>How a solver weighs what it has of earlier steps. DPM-Solver knows the first two, UniPC the last two, and each takes its default for the other's.</summary>
internal enum SolverType
{
    [ConfigName("midpoint", "logrho")]
    Midpoint,

    [ConfigName("heun")]
    Heun,

    [ConfigName("bh1")]
    Bh1,

    [ConfigName("bh2")]
    Bh2,
}

/// <summary>The noise that is left when all steps are done.</summary>
internal enum FinalSigma
{
    [ConfigName("zero")]
    Zero,

    /// <summary>That of training's first timestep.</summary>
    [ConfigName("sigma_min")]
    Smallest,
}

/// <summary>How Euler's noise levels lie between those of training.</summary>
internal enum SigmaInterpolation
{
    [ConfigName("linear")]
    Linear,

    /// <summary>Evenly in their logarithm, whatever the timesteps are.</summary>
    [ConfigName("log_linear")]
    LogLinear,
}

/// <summary>What the network is told of the time.</summary>
internal enum TimestepType
{
    [ConfigName("discrete")]
    Discrete,

    /// <summary>A quarter of the logarithm of the noise level, for networks that predict the velocity.</summary>
    [ConfigName("continuous")]
    Continuous,
}

/// <summary>
/// <c>scheduler_config.json</c> of diffusers: the options of all schedulers in one record, since published files carry options of others
/// too, which count when another scheduler is taken: <c>config with { Scheduler = ... }</c> keeps what was said, and what was not becomes
/// the other's default. So what is null here is what nobody said, where defaults differ.
/// </summary>
/// <remarks>Two configurations with equal lists are not equal records: compare what <see cref="Pipelines.ModelJson"/> writes.</remarks>
internal sealed record SchedulerConfig
{
    private const string LambdaKey = "lambda_min_clipped";

    // Options of releases after 0.27 that change the result, with the value at which they do not.
    private static readonly Dictionary<string, string> s_notBuilt = new()
    {
        ["use_exponential_sigmas"] = "false", ["use_beta_sigmas"] = "false", ["use_flow_sigmas"] = "false", ["use_dynamic_shifting"] = "false",
        ["shift_terminal"] = "null", ["solver_p"] = "null",
    };

    // And those that do not, unless one of these is there; the seed of the noise is the caller's.
    private static readonly HashSet<string> s_known =
        [.. ConfigKeys.Names<SchedulerConfig>(), .. s_notBuilt.Keys, LambdaKey, "flow_shift", "time_shift_type", "noise_sampler_seed"];

    [ConfigKey("_class_name")]
    public DiffusionScheduler Scheduler { get; init; } = DiffusionScheduler.Ddim;

    // The noise of training.

    [ConfigKey("num_train_timesteps")]
    [FromTo(2)]
    public int TrainingSteps { get; init; } = 1000;

    [ConfigKey("beta_schedule")]
    public BetaSchedule? BetaSchedule { get; init; }

    [ConfigKey("beta_start")]
    public double? BetaStart { get; init; }

    [ConfigKey("beta_end")]
    public double? BetaEnd { get; init; }

    /// <summary>The betas themselves, one a timestep, instead of a schedule.</summary>
    [ConfigKey("trained_betas")]
    public double[]? TrainedBetas { get; init; }

    /// <summary>Whether the last timestep is to be nothing but noise (arXiv 2305.08891, algorithm 1).</summary>
    [ConfigKey("rescale_betas_zero_snr")]
    public bool ZeroTerminalSnr { get; init; }

    [ConfigKey("prediction_type")]
    public PredictionType Prediction { get; init; } = PredictionType.Noise;

    // Which steps are taken.

    [ConfigKey("timestep_spacing")]
    public TimestepSpacing? Spacing { get; init; }

    /// <summary>What is added to timesteps that are counted from the first.</summary>
    [ConfigKey("steps_offset")]
    [FromTo(0)]
    public int StepsOffset { get; init; }

    [ConfigKey("timestep_type")]
    public TimestepType TimestepType { get; init; }

    /// <summary>Whether noise levels are spaced as in equation 5 of arXiv 2206.00364.</summary>
    [ConfigKey("use_karras_sigmas")]
    public bool KarrasSigmas { get; init; }

    /// <summary>The lowest of Karras' noise levels; null for that of training.</summary>
    [ConfigKey("sigma_min")]
    public double? SigmaMin { get; init; }

    /// <summary>The highest of Karras' noise levels; null for that of training.</summary>
    [ConfigKey("sigma_max")]
    public double? SigmaMax { get; init; }

    [ConfigKey("interpolation_type")]
    public SigmaInterpolation Interpolation { get; init; }

    [ConfigKey("final_sigmas_type")]
    public FinalSigma? FinalSigma { get; init; }

    /// <summary>Whether DPM-Solver's noise levels are spaced evenly in log(α / σ).</summary>
    [ConfigKey("use_lu_lambdas")]
    public bool LuLambdas { get; init; }

    /// <summary>The least log(α / σ) at which DPM-Solver begins; null for any.</summary>
    [Signed]
    public double? LambdaMinClipped { get; init; }

    /// <summary>The steps that a latent consistency model was distilled in, of which it takes some.</summary>
    [ConfigKey("original_inference_steps")]
    public int OriginalSteps { get; init; } = 50;

    // What is done in a step.

    /// <summary>Whether what the network says of the image is held within <see cref="ClipRange"/>.</summary>
    [ConfigKey("clip_sample")]
    public bool? Clip { get; init; }

    [ConfigKey("clip_sample_range")]
    public double ClipRange { get; init; } = 1;

    /// <summary>Whether it is held within a quantile of its own values instead (arXiv 2205.11487, 2.3).</summary>
    [ConfigKey("thresholding")]
    public bool Thresholding { get; init; }

    [ConfigKey("dynamic_thresholding_ratio")]
    public double ThresholdQuantile { get; init; } = 0.995;

    /// <summary>The most that the quantile may be.</summary>
    [ConfigKey("sample_max_value")]
    public double ThresholdMax { get; init; } = 1;

    /// <summary>Whether the image after the last step has no noise at all, rather than that of training's first timestep.</summary>
    [ConfigKey("set_alpha_to_one")]
    public bool? FinalAlphaIsOne { get; init; }

    [ConfigKey("variance_type")]
    public VarianceType? Variance { get; init; }

    /// <summary>Whether PNDM begins with its multistep method, without three steps by Runge-Kutta.</summary>
    [ConfigKey("skip_prk_steps")]
    public bool SkipRungeKutta { get; init; }

    [ConfigKey("solver_order")]
    public int SolverOrder { get; init; } = 2;

    [ConfigKey("algorithm_type")]
    public DpmAlgorithm Algorithm { get; init; }

    [ConfigKey("solver_type")]
    public SolverType? Solver { get; init; }

    /// <summary>Whether the last of few steps are of lower order.</summary>
    [ConfigKey("lower_order_final")]
    public bool LowerOrderFinal { get; init; } = true;

    /// <summary>Whether the last step is of first order, however many there are.</summary>
    [ConfigKey("euler_at_final")]
    public bool EulerAtFinal { get; init; }

    /// <summary>Whether UniPC solves for the image rather than for the noise.</summary>
    [ConfigKey("predict_x0")]
    public bool PredictsImage { get; init; } = true;

    /// <summary>The steps that UniPC does not correct.</summary>
    [ConfigKey("disable_corrector")]
    [FromTo(0)]
    public int[] UncorrectedSteps { get; init; } = [];

    /// <summary>What a latent consistency model's timesteps are multiplied with where it weighs its result against its input.</summary>
    [ConfigKey("timestep_scaling")]
    public double TimestepScaling { get; init; } = 10;

    /// <summary>The schedule, or the scheduler's default.</summary>
    public BetaSchedule BetaScheduleOrDefault => BetaSchedule ?? (Scheduler == DiffusionScheduler.Lcm ? Schedulers.BetaSchedule.ScaledLinear : Schedulers.BetaSchedule.Linear);

    public double BetaStartOrDefault => BetaStart ?? (HasBetasOfStableDiffusion ? 0.00085 : 0.0001);

    public double BetaEndOrDefault => BetaEnd ?? (HasBetasOfStableDiffusion ? 0.012 : 0.02);

    public TimestepSpacing SpacingOrDefault => Spacing
        ?? (Scheduler is DiffusionScheduler.Ddpm or DiffusionScheduler.Ddim or DiffusionScheduler.Pndm or DiffusionScheduler.Lcm ? TimestepSpacing.Leading : TimestepSpacing.Linspace);

    public bool ClipOrDefault => Clip ?? Scheduler is DiffusionScheduler.Ddpm or DiffusionScheduler.Ddim;

    public bool FinalAlphaIsOneOrDefault => FinalAlphaIsOne ?? Scheduler != DiffusionScheduler.Pndm;

    public FinalSigma FinalSigmaOrDefault => FinalSigma ?? (Scheduler == DiffusionScheduler.UniPc ? Schedulers.FinalSigma.Smallest : Schedulers.FinalSigma.Zero);

    private bool HasBetasOfStableDiffusion => Scheduler is DiffusionScheduler.Heun or DiffusionScheduler.DpmSolverSde or DiffusionScheduler.Lcm;

    /// <summary>Reads <c>scheduler_config.json</c>.</summary>
    /// <exception cref="CheckpointException">It is of a scheduler that is not known, or an option is, or has a value, that is not; the message names it.</exception>
    /// <exception cref="ArgumentException">A number can be none of a schedule.</exception>
    public static SchedulerConfig FromJson(JsonElement json)
    {
        if (json.Optional("_class_name") is null)
            throw new CheckpointException($"The configuration names no scheduler ('_class_name'); known are {string.Join(", ", Enum.GetValues<DiffusionScheduler>().Select(ConfigKeys.NameOf))}.");
        foreach (var (key, neutral) in s_notBuilt)
        {
            if (json.Optional(key) is { } value && value.GetRawText() != neutral)
                throw new CheckpointException($"The scheduler option '{key}' is not supported, but is {value.GetRawText()}; set it to {neutral}.");
        }
        if (json.EnumerateObject().Select(entry => entry.Name).Where(key => !key.StartsWith('_') && !s_known.Contains(key)).ToArray() is { Length: > 0 } unknown)
            Notices.Say($"The scheduler's configuration has options that are passed over: {string.Join(", ", unknown)}.");
        var config = ConfigKeys.Read(json, new SchedulerConfig()) with
        {
            // Each file of diffusers' DPM-Solver has the -Infinity, which stands for none.
            LambdaMinClipped = json.Optional(LambdaKey) is { } least && !(least.ValueKind == JsonValueKind.String && least.ValueEquals("-Infinity")) ? least.Number(LambdaKey) : null,
        };
        config.Validate();
        return config;
    }

    public JsonObject ToJson() => ConfigKeys.Write(this, LambdaMinClipped is { } least ? [KeyValuePair.Create(LambdaKey, (JsonNode?)least)] : []);

    /// <exception cref="ArgumentException">The numbers make no schedule; the message names them.</exception>
    public void Validate()
    {
        HyperParameters.Check(this);
        if (TrainedBetas is { } betas && betas.Length != TrainingSteps)
            throw new ArgumentException($"There are {betas.Length} betas ('trained_betas') for {TrainingSteps} timesteps ('num_train_timesteps'); there must be one for each.");
        if ((TrainedBetas ?? [BetaStartOrDefault, BetaEndOrDefault]).FirstOrDefault(beta => !(beta is >= 0 and <= 1), 0) is not 0 and var wrong)
            throw new ArgumentException(FormattableString.Invariant($"Each beta must be from 0 to 1; one is {wrong}."));
        if (ThresholdQuantile > 1)
            throw new ArgumentException(FormattableString.Invariant($"The threshold's quantile ('dynamic_thresholding_ratio') must be from 0 to 1, not {ThresholdQuantile}."));
        if (SigmaMin == 0 || SigmaMax == 0 || SigmaMin >= SigmaMax)
            throw new ArgumentException(FormattableString.Invariant($"The lowest noise level ('sigma_min', {SigmaMin}) and the highest ('sigma_max', {SigmaMax}) must be above 0, and the latter above the former."));
    }

    /// <summary>A scheduler for one image or batch of images in so many steps.</summary>
    /// <exception cref="ArgumentException">There are no such steps.</exception>
    public Scheduler Create(int steps) => Create(new SchedulerRun { Steps = steps });

    /// <inheritdoc cref="Create(int)"/>
    public Scheduler Create(SchedulerRun run)
    {
        Validate();
        run.Validate(this);
        var schedule = NoiseSchedule.Of(this);
        return Scheduler switch
        {
            DiffusionScheduler.Ddpm => new DdpmScheduler(this, schedule, run),
            DiffusionScheduler.Ddim => new DdimScheduler(this, schedule, run),
            DiffusionScheduler.Pndm => new PndmScheduler(this, schedule, run),
            DiffusionScheduler.Lms => new LmsScheduler(this, schedule, run),
            DiffusionScheduler.Euler => new EulerScheduler(this, schedule, run),
            DiffusionScheduler.EulerAncestral => new EulerAncestralScheduler(this, schedule, run),
            DiffusionScheduler.Heun => new HeunScheduler(this, schedule, run),
            DiffusionScheduler.DpmSolverMultistep => new DpmSolverScheduler(this, schedule, run),
            DiffusionScheduler.DpmSolverSde => new DpmSolverSdeScheduler(this, schedule, run),
            DiffusionScheduler.UniPc => new UniPcScheduler(this, schedule, run),
            DiffusionScheduler.Lcm => new LcmScheduler(this, schedule, run),
            _ => throw new ArgumentException($"There is no scheduler {Scheduler}."),
        };
    }
}
