using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>Each scheduler with a toy for a network, step by step.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "Diffusion")]
public partial class SchedulerGoldenTests
{
    public static TheoryData<string> Schedules => GoldenCase.For("scheduler-betas");

    public static TheoryData<string> Cases => [.. GoldenCase.For("scheduler").Select(row => row.Data).Where(name => !GoldenCase.Belongs(name, "scheduler-betas"))];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Schedules))]
    public void SchedulesEqualTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var config = golden.Config;
        foreach (var (_, match) in golden.Matching(BetasName()))
        {
            var entry = match.Groups["entry"].Value;
            var schedule = NoiseSchedule.Of(ReadSchedule(config, entry));
            golden.AssertClose($"{entry}.betas", tensor(schedule.Betas));
            golden.AssertClose($"{entry}.alphas_cumprod", tensor(schedule.AlphasCumprod));
            // NOTES allow less than what is allowed of networks.
            AssertWithin(1e-7, $"{entry}.betas", schedule.Betas);
            AssertWithin(1e-6, $"{entry}.alphas_cumprod", schedule.AlphasCumprod);
        }
        golden.AssertNoneForgotten(golden.NotCompared);

        void AssertWithin(double tolerance, string tensor, float[] actual)
        {
            var differences = golden.Expected(tensor).data<float>().ToArray().Zip(actual, (theirs, ours) => Math.Abs((double)theirs - ours)).ToArray();
            Assert.True(differences.Max() <= tolerance, $"{name}: {tensor} differs by {differences.Max():g3} at {Array.IndexOf(differences, differences.Max())}.");
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void StepsEqualTheReference(string name)
    {
        using var golden = GoldenCase.Open(name);
        foreach (var variant in golden.Config.EnumerateObject())
        {
            using var scope = NewDisposeScope();
            CompareSteps(golden, variant.Name, variant.Value);
        }
        golden.AssertNoneForgotten(golden.NotCompared.Where(tensor => !GivenName().IsMatch(tensor)));
    }

    private static void CompareSteps(GoldenCase golden, string variant, JsonElement settings)
    {
        var config = SchedulerConfig.FromJson(settings.GetProperty("config"));
        using var scheduler = config.Create(ReadRun(settings));
        var steps = golden.Tensors[$"{variant}/prev_sample"].Shape[0];
        Assert.Equal(steps, scheduler.Timesteps.Count);

        var drawn = new List<long>();
        var x = golden.Input($"{variant}/start_noise").Mul(scheduler.InitialNoiseScale);
        Compare("initial_sample", x);
        var (inputs, outputs, previous, images) = (new List<Tensor>(), new List<Tensor>(), new List<Tensor>(), new List<Tensor>());
        for (var call = 0; call < steps; call++)
        {
            inputs.Add(scheduler.ScaleModelInput(x, call));
            outputs.Add(Model(inputs[^1], scheduler.Timesteps[call], settings.GetProperty("model").GetString()!));
            var step = scheduler.Step(outputs[^1], call, x, () =>
            {
                drawn.Add(call);
                return golden.Input($"{variant}/noise")[call];
            });
            previous.Add(x = step.Previous);
            images.Add(step.Image);
        }
        Compare("model_input", stack(inputs));
        Compare("model_output", stack(outputs));
        Compare("prev_sample", stack(previous));
        Compare("pred_original_sample", stack(images));
        Compare("denoised", stack(images));
        Compare("init_noise_sigma", tensor([(float)scheduler.InitialNoiseScale]));
        Compare("timesteps", tensor(scheduler.Timesteps.ToArray()));
        if (scheduler is not DiscreteScheduler)
            Compare("sigmas", Sigmas(scheduler));
        if (golden.Has($"{variant}/noise_used_at_step"))
            Compare("noise_used_at_step", tensor(drawn.ToArray()));
        else
            Assert.Empty(drawn);

        var (clean, noise) = (golden.Input($"{variant}/add_noise.clean"), golden.Input($"{variant}/add_noise.noise"));
        var at = golden.Input($"{variant}/add_noise.timesteps");
        if (scheduler is DiscreteScheduler)
        {
            Compare("add_noise.out", NoiseSchedule.Of(config).AddNoise(clean, noise, at));
            Compare("get_velocity.out", NoiseSchedule.Of(config).Velocity(clean, noise, at));
        }
        var calls = at.to(float64).data<double>().ToArray().Select(t => CallAt(scheduler, t)).ToArray();
        if (calls.All(call => call >= 0))
            Compare("add_noise.out", cat([.. calls.Select((call, row) => scheduler.AddNoise(clean[row..(row + 1)], noise[row..(row + 1)], call))]));

        void Compare(string tensor, Tensor actual)
        {
            var full = $"{variant}/{tensor}";
            if (!golden.Has(full))
                return;
            // A float32 of the largest value's size holds no more than this; what the toy makes of noise is not small.
            var expected = golden.Expected(full).to(float64).abs();
            golden.AssertClose(full, actual, noise: expected.max().Item() * Math.Pow(2, -23));
        }
    }

    /// <summary>The toy: 0.3 x + sin(t / 100), and where a variance is learned too, tanh(x / 2).</summary>
    private static Tensor Model(Tensor x, double timestep, string model)
    {
        var output = x.Mul(0.3).Add(Math.Sin(timestep / 100));
        return model.Contains("tanh", StringComparison.Ordinal) ? cat([output, x.Mul(0.5).tanh()], 1) : output;
    }

    private static SchedulerRun ReadRun(JsonElement settings)
    {
        var (set, step) = (settings.GetProperty("set_timesteps_kwargs"), settings.GetProperty("step_kwargs"));
        var defaults = new SchedulerRun();
        return new()
        {
            Steps = settings.Get("num_inference_steps", 0),
            Timesteps = set.Integers("timesteps"),
            Strength = set.Get("strength", 1.0),
            OriginalSteps = set.Optional("original_inference_steps")?.GetInt32(),
            Eta = step.Get("eta", 0.0),
            UseClippedOutput = step.Get("use_clipped_model_output", false),
            Churn = step.Get("s_churn", 0.0),
            ChurnFrom = step.Get("s_tmin", 0.0),
            ChurnTo = step.Optional("s_tmax") is { ValueKind: JsonValueKind.Number } most ? most.GetDouble() : defaults.ChurnTo,
            ChurnScale = step.Get("s_noise", 1.0),
            MultistepOrder = step.Get("order", defaults.MultistepOrder),
        };
    }

    // A case of schedules need not say what it is: then its entry's name does.
    private static SchedulerConfig ReadSchedule(JsonElement config, string entry)
    {
        var settings = config.GetProperty(entry);
        var named = settings.Get("beta_schedule", BetaScheduleOf(entry));
        return new SchedulerConfig
        {
            BetaSchedule = ConfigKeys.Parse<BetaSchedule>(named),
            BetaStart = settings.Optional("beta_start")?.GetDouble(),
            BetaEnd = settings.Optional("beta_end")?.GetDouble(),
            TrainingSteps = settings.Get("num_train_timesteps", config.Get("num_train_timesteps", 1000)),
            ZeroTerminalSnr = settings.Get("rescale_betas_zero_snr", entry.EndsWith("zero_snr", StringComparison.Ordinal)),
        };
    }

    private static string BetaScheduleOf(string entry) => entry == "cosine" ? "squaredcos_cap_v2" : entry.Replace("_zero_snr", "");

    private static Tensor Sigmas(Scheduler scheduler) => scheduler switch
    {
        SigmaScheduler sigmas => tensor(sigmas.Sigmas),
        LambdaScheduler levels => tensor(levels.Levels.Select(level => level.Sigma / level.Alpha).ToArray()),
        _ => throw new ArgumentException($"{scheduler.GetType()} has no noise levels."),
    };

    /// <summary>The call at a timestep; where two have it, the second, as the reference takes it. -1 where none has.</summary>
    private static int CallAt(Scheduler scheduler, double timestep)
    {
        int[] calls = [.. Enumerable.Range(0, scheduler.Timesteps.Count).Where(call => Math.Abs(scheduler.Timesteps[call] - timestep) < 1e-3)];
        return calls.Length > 1 ? calls[1] : calls.Length == 1 ? calls[0] : -1;
    }

    [GeneratedRegex(@"^(?<entry>.+)\.betas$")]
    private static partial Regex BetasName();

    [GeneratedRegex(@"/(start_noise|noise|add_noise\.(clean|noise|timesteps))$")]
    private static partial Regex GivenName();
}
