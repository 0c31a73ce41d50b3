using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

[Trait("Family", "Diffusion")]
public class SchedulerTests
{
    private const int Steps = 6;

    public static TheoryData<DiffusionScheduler> Schedulers => [.. Enum.GetValues<DiffusionScheduler>()];

    /// <summary>All that go by the mean of all images; a consistency model says one of them.</summary>
    public static TheoryData<DiffusionScheduler> Solvers => [.. Enum.GetValues<DiffusionScheduler>().Where(scheduler => scheduler != DiffusionScheduler.Lcm)];

    // The scheduler of Stable Diffusion 1 as it was published: with an option of another, and without those that came later.
    internal static SchedulerConfig Published { get; } = Read("""
        {
          "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
          "num_train_timesteps": 1000, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null, "clip_sample": false
        }
        """);

    [Theory, MemberData(nameof(Schedulers))]
    public void APublishedConfigurationServesEveryScheduler(DiffusionScheduler scheduler)
    {
        using var scope = NewDisposeScope();
        var config = Published with { Scheduler = scheduler };
        Assert.False(config.ClipOrDefault);                                     // said by the file, though PNDM does not know it
        Assert.Equal(scheduler is DiffusionScheduler.Pndm or DiffusionScheduler.Ddpm or DiffusionScheduler.Ddim or DiffusionScheduler.Lcm ? TimestepSpacing.Leading : TimestepSpacing.Linspace, config.SpacingOrDefault);

        // A network that knows the image finds it whatever the way, up to the noise of training's first timestep.
        using var target = randn([1, 3, 4, 4], generator: new Generator(1));
        var image = Generate(config with { Prediction = PredictionType.Image }, randn([1, 3, 4, 4], generator: new Generator(2)), (_, _) => target, [3]);
        Assert.True((image - target).abs().max().Item() < 0.2, $"{scheduler}: {(image - target).abs().max().Item()}");
    }

    [Theory, MemberData(nameof(Schedulers))]
    public void ABatchGivesEachRowWhatItGivesAlone(DiffusionScheduler scheduler)
    {
        using var scope = NewDisposeScope();
        var config = Published with { Scheduler = scheduler, Thresholding = true, ThresholdMax = 2, ThresholdQuantile = 0.9 };
        var start = randn([3, 3, 4, 4], generator: new Generator(4));
        var together = Generate(config, start, Toy, [5, 6, 7]);
        for (var row = 0; row < 3; row++)
        {
            var alone = Generate(config, start.narrow(0, row, 1), Toy, [(ulong)(5 + row)]);
            Assert.True(alone.equal(together.narrow(0, row, 1)).all().item<bool>(), $"row {row}");
        }

        static Tensor Toy(Tensor x, double timestep) => x.Mul(0.3).Add(Math.Sin(timestep / 100));
    }

    /// <summary>Where pixels are drawn from a normal distribution, the best network is known; then the images must have its spread.</summary>
    [Theory, MemberData(nameof(Solvers))]
    public void PixelsComeOutAsTheyAreDistributed(DiffusionScheduler scheduler)
    {
        const double Variance = 0.25;
        using var scope = NewDisposeScope();
        var config = Published with { Scheduler = scheduler, Prediction = PredictionType.Image, Spacing = TimestepSpacing.Linspace, StepsOffset = 0 };
        var sigmas = NoiseSchedule.Of(config).Sigmas;

        var images = Generate(config, randn([1, 1, 128, 128], generator: new Generator(8)), Mean, [9], steps: 200);    // what draws noise errs by a tenth at 50
        Assert.InRange(images.std().Item(), 0.93 * Math.Sqrt(Variance), 1.07 * Math.Sqrt(Variance));
        Assert.InRange(images.mean().Item(), -0.02, 0.02);

        // The mean of all images from which x can have come.
        Tensor Mean(Tensor x, double timestep)
        {
            var (low, share) = ((int)timestep, timestep - (int)timestep);
            var level = NoiseLevel.OfSigma((float)(sigmas[low] * (1 - share) + sigmas[Math.Min(low + 1, sigmas.Length - 1)] * share));
            return x.Mul(level.Alpha * Variance / (level.Alpha * level.Alpha * Variance + level.Sigma * level.Sigma));
        }
    }

    [Theory, MemberData(nameof(Schedulers))]
    public void ImpossibleStepsAreRefused(DiffusionScheduler scheduler)
    {
        var config = Published with { Scheduler = scheduler };
        Assert.Contains("1000", Assert.Throws<ArgumentException>(() => config.Create(0)).Message);
        Assert.Contains("1001", Assert.Throws<ArgumentException>(() => config.Create(1001)).Message);
    }

    [Theory]
    [InlineData("""{ "beta_start": 0.1 }""", "_class_name")]
    [InlineData("""{ "_class_name": "FlowMatchEulerDiscreteScheduler" }""", "EulerAncestralDiscreteScheduler")]
    [InlineData("""{ "_class_name": "DDIMScheduler", "prediction_type": "flow_prediction" }""", "'flow_prediction'")]
    [InlineData("""{ "_class_name": "DDIMScheduler", "timestep_spacing": "middle" }""", "'timestep_spacing'")]
    [InlineData("""{ "_class_name": "DDIMScheduler", "beta_schedule": "square" }""", "'square'")]
    [InlineData("""{ "_class_name": "EulerDiscreteScheduler", "use_beta_sigmas": true }""", "use_beta_sigmas")]
    [InlineData("""{ "_class_name": "DDIMScheduler", "num_train_timesteps": 0 }""", "num_train_timesteps")]
    [InlineData("""{ "_class_name": "DDIMScheduler", "trained_betas": [0.1, 0.2] }""", "trained_betas")]
    [InlineData("""{ "_class_name": "DDIMScheduler", "beta_end": 2 }""", "2")]
    public void AConfigurationThatIsWrongIsRefusedByName(string json, string named)
    {
        var e = Assert.ThrowsAny<Exception>(() => Read(json));
        Assert.True(e is CheckpointException or ArgumentException, e.ToString());
        Assert.Contains(named, e.Message);
    }

    [Theory]
    [InlineData("""{ "_class_name": "PNDMScheduler" }""", "skip_prk_steps")]
    [InlineData("""{ "_class_name": "DPMSolverMultistepScheduler", "solver_order": 4 }""", "solver_order")]
    [InlineData("""{ "_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "dpmsolver" }""", "final_sigmas_type")]
    [InlineData("""{ "_class_name": "LCMScheduler", "original_inference_steps": 2 }""", "distilled")]
    public void AConfigurationThatHasNoSuchStepsIsRefused(string json, string named) =>
        Assert.Contains(named, Assert.Throws<ArgumentException>(() => Read(json).Create(3)).Message);

    [Fact]
    public void AConfigurationIsWrittenAsItWasRead()
    {
        var config = Read("""{ "_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -5.1, "use_karras_sigmas": true, "trained_betas": null }""");
        Assert.Equal(-5.1, config.LambdaMinClipped);
        Assert.Equal(ModelJson.Write(config), ModelJson.Write(Read(config.ToJson().ToJsonString())));
        Assert.Equal(ModelJson.Write(config), ModelJson.Write(ModelJson.Read<SchedulerConfig>(ModelJson.Write(config))));
        // What Python writes for the default of every DPM-Solver.
        Assert.Null(Read("""{ "_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity }""").LambdaMinClipped);
    }

    [Fact]
    public void APartOfTheWayBeginsLater()
    {
        using var heun = (Published with { Scheduler = DiffusionScheduler.Heun }).Create(10);
        Assert.Equal(0, heun.FirstCall(10, 1));
        Assert.Equal(8, heun.FirstCall(10, 0.6));
        using var ddim = (Published with { Scheduler = DiffusionScheduler.Ddim }).Create(10);
        Assert.Equal(4, ddim.FirstCall(10, 0.6));
    }

    [Fact]
    public void SignalToNoiseFallsFromTimestepToTimestep()
    {
        using var scope = NewDisposeScope();
        var schedule = NoiseSchedule.Of(Published);
        var ratios = schedule.SignalToNoise(tensor([0L, 500, 999])).data<float>().ToArray();
        Assert.Equal(schedule.AlphasCumprod[500] / (1 - schedule.AlphasCumprod[500]), ratios[1], 1e-6f);
        Assert.True(ratios[0] > 1000 && ratios[2] < 0.01, string.Join(", ", ratios));
    }

    /// <summary>The whole way, with a stream of noise for each row.</summary>
    internal static Tensor Generate(SchedulerConfig config, Tensor start, Func<Tensor, double, Tensor> network, ulong[] seeds, int steps = Steps)
    {
        using var scheduler = config.Create(steps);
        Generator[] streams = [.. seeds.Select(seed => new Generator(seed))];
        var x = start.Mul(scheduler.InitialNoiseScale);
        for (var call = 0; call < scheduler.Timesteps.Count; call++)
        {
            var output = network(scheduler.ScaleModelInput(x, call), scheduler.Timesteps[call]);
            x = scheduler.Step(output, call, x, () => cat([.. streams.Select(stream => randn([1, .. start.shape[1..]], generator: stream))])).Previous;
        }
        Array.ForEach(streams, stream => stream.Dispose());
        return x;
    }

    private static SchedulerConfig Read(string json) => SchedulerConfig.FromJson(Utf8Text.ParseJson(System.Text.Encoding.UTF8.GetBytes(json), "scheduler_config.json"));
}

/// <summary>Counts the process's tensors, and so must run while nothing else does.</summary>
[Collection("Alone")]
[Trait("Family", "Diffusion")]
public class SchedulerMemoryTests
{
    public static TheoryData<DiffusionScheduler> Schedulers => SchedulerTests.Schedulers;

    [Theory, MemberData(nameof(Schedulers))]
    public void NothingIsLeftInMemory(DiffusionScheduler scheduler)
    {
        Run();
        var before = Tensor.TotalCount;
        Run();
        Assert.InRange(Tensor.TotalCount, 0, before);   // not more: what earlier tests left to the garbage collector may go at any time

        void Run()
        {
            using var scope = NewDisposeScope();
            SchedulerTests.Generate(SchedulerTests.Published with { Scheduler = scheduler }, randn([1, 3, 4, 4]), (x, _) => x.Mul(0.5), [1]);
        }
    }
}
