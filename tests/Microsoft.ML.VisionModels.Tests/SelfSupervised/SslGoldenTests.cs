using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Evaluation;
using Microsoft.ML.VisionModels.Families.SelfSupervised;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.SelfSupervised;

/// <summary>The parts of self-supervised training by themselves: losses, optimizer, schedules, neighbors.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "SelfSupervised")]
public partial class SslGoldenTests
{
    public static TheoryData<string> Contrasts => GoldenCase.For("ssl-ntxent");

    public static TheoryData<string> Optimizers => GoldenCase.For("ssl-lars");

    public static TheoryData<string> Schedules => GoldenCase.For("ssl-schedules");

    public static TheoryData<string> Neighbors => GoldenCase.For("ssl-knn");

    public static TheoryData<string> DinoNeighbors => GoldenCase.For("dino-knn");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Contrasts))]
    public void NtXentEqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        foreach (var (_, match) in golden.Matching(LossName()))
        {
            var temperature = double.Parse(match.Groups["temperature"].Value, CultureInfo.InvariantCulture);
            var features = golden.Input("features").requires_grad_(true);
            var loss = SimClr.NtXent(features, temperature);
            loss.backward();
            var prefix = $"T{match.Groups["temperature"].Value}.";
            golden.AssertClose(prefix + "loss", loss);
            golden.AssertClose(prefix + "google_loss", loss.Mul(2));
            golden.AssertClose(prefix + "grad", features.grad!);

            // The reference has the other view first and then the rest, where ours has all in their places.
            var ours = SimClr.Similarities(features, temperature);
            var other = SimClr.OtherViews(features).unsqueeze(1);
            using Scalar nowhere = double.NegativeInfinity;
            var rest = ours.scatter(1, other, full_like(ours.narrow(1, 0, 1), nowhere));
            golden.AssertClose(prefix + "logits", cat([ours.gather(1, other), rest.masked_select(rest.isfinite()).view(rest.shape[0], -1)], 1));
            golden.AssertClose(prefix + "top1", ours.argmax(1).eq(other.squeeze(1)).to(float32).mean().Mul(golden.Expected(prefix + "top1").Item() > 1 ? 100 : 1));
        }
        golden.AssertNoneForgotten(golden.NotCompared.Where(tensor => tensor != "features"));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Optimizers))]
    public void LarsEqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var names = golden.Matching(ParameterName()).Select(pair => pair.Match.Groups["name"].Value).ToArray();
        var parameters = names.Select(parameter => new Parameter(golden.Input($"init.{parameter}"))).ToArray();
        var config = golden.Config;
        using var lars = new Lars([new(parameters, config.GetProperty("weight_decay").GetDouble())], config.GetProperty("momentum").GetDouble(), config.GetProperty("trust_coefficient").GetDouble());
        var rates = golden.Input("lr").data<float>().ToArray();
        var after = names.ToDictionary(parameter => parameter, _ => new List<Tensor>());
        for (var step = 0; step < rates.Length; step++)
        {
            for (var i = 0; i < names.Length; i++)
                parameters[i].grad = golden.Input($"grad.{names[i]}")[step];
            lars.Step(rates[step]);
            for (var i = 0; i < names.Length; i++)
                after[names[i]].Add(parameters[i].detach().clone());
        }
        var buffers = lars.State.Select(entry => entry.Value).ToArray();
        for (var i = 0; i < names.Length; i++)
        {
            golden.AssertClose($"param.{names[i]}", stack(after[names[i]]));
            golden.AssertClose($"mu.{names[i]}", buffers[i]);
        }
        golden.AssertNoneForgotten(golden.NotCompared.Where(tensor => tensor != "lr" && !tensor.StartsWith("grad.") && !tensor.StartsWith("init.")));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Schedules))]
    public void SchedulesEqualTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var config = golden.Config;
        foreach (var (tensor, match) in golden.Matching(DinoName()))
        {
            // base, final, epochs, steps an epoch, epochs of warm-up
            var numbers = config.GetProperty(tensor).EnumerateArray().Select(number => number.GetDouble()).ToArray();
            var (start, end, epochs, warmup) = (numbers[0], numbers[1], numbers[2], numbers[4]);
            ISchedule schedule = warmup > 0 ? new CosineFromZero(warmup / epochs, end / start, peakInWarmup: true) : new CosineBetween(1, end / start);
            golden.AssertClose(tensor, Values(schedule, start, (int)golden.Tensors[tensor].Shape[0]));
        }
        if (golden.Has("byol.tau"))
        {
            var tau = config.GetProperty("byol.tau");
            golden.AssertClose("byol.tau", Values(new CosineBetween(tau.GetProperty("base").GetDouble(), 1), 1, tau.GetProperty("K").GetInt32()));
        }
        if (golden.Has("mae.lr"))
        {
            var mae = config.GetProperty("mae");
            var rate = mae.GetProperty("lr").GetDouble();
            var schedule = new CosineFromZero(mae.GetProperty("warmup_epochs").GetDouble() / mae.GetProperty("epochs").GetDouble(), mae.GetProperty("min_lr").GetDouble() / rate, peakInWarmup: false);
            var rates = Values(schedule, rate, (int)golden.Tensors["mae.lr"].Shape[0]);
            golden.AssertClose("mae.lr", rates);
            golden.AssertClose("mae.lr_scaled_group", rates.Mul(golden.Expected("mae.lr_scaled_group").max().Item() / golden.Expected("mae.lr").max().Item()));
        }
        golden.AssertNoneForgotten(golden.NotCompared.Except(s_foreign));
    }

    /// <summary>Schedules of other code, which no method here has: torch's own, and SimCLR's re-implementation, whose rate stays flat for ten epochs.</summary>
    private static readonly string[] s_foreign =
    [
        "simclr.lr_per_epoch", "torch.cosine", "torch.exp", "torch.linear", "torch.multistep", "torch.onecycle", "torch.poly", "torch.step", "torch.warm_restarts", "torch.warmup_then_cosine",
    ];

    private static Tensor Values(ISchedule schedule, double scale, int steps) => tensor(Enumerable.Range(0, steps).Select(step => (float)(scale * schedule.ShareAt(step, steps))).ToArray());

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Neighbors))]
    public void NeighborsVoteAsInTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var (temperature, classes) = (golden.Config.GetProperty("T").GetDouble(), golden.Config.GetProperty("num_classes").GetInt32());
        foreach (var (_, match) in golden.Matching(VotesName()))
        {
            var k = int.Parse(match.Groups["k"].Value, CultureInfo.InvariantCulture);
            var (votes, neighbors) = NearestNeighbors.Vote(golden.Input("test_features"), golden.Input("train_features"), golden.Input("train_labels"), classes, k, temperature);
            var expected = golden.Expected($"k{k}.class_scores");
            golden.AssertClose($"k{k}.class_scores", votes, relative: 1e-3);
            golden.AssertClose($"k{k}.neighbors", neighbors);
            golden.AssertClose($"k{k}.top1", Percent(votes, 1));
            golden.AssertClose($"k{k}.top5", Percent(votes, 5));
        }
        golden.AssertNoneForgotten(golden.NotCompared.Where(tensor => !InputName().IsMatch(tensor)));

        Tensor Percent(Tensor votes, int best) => tensor(new[] { (float)(100 * NearestNeighbors.Accuracy(votes, golden.Input("test_labels"), best)) });
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(DinoNeighbors))]
    public void NeighborsAreAsRightAsDinos(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var config = golden.Config;
        var (votes, _) = NearestNeighbors.Vote(golden.Input("test_features"), golden.Input("train_features"), golden.Input("train_labels"),
            config.GetProperty("num_classes").GetInt32(), config.GetProperty("k").GetInt32(), config.GetProperty("temperature").GetDouble());
        double[] accuracies = [NearestNeighbors.Accuracy(votes, golden.Input("test_labels")), NearestNeighbors.Accuracy(votes, golden.Input("test_labels"), 5)];
        golden.AssertClose("top1_top5_percent", tensor(Array.ConvertAll(accuracies, accuracy => (float)(100 * accuracy))));
        golden.AssertAllCompared();
    }

    [GeneratedRegex(@"^T(?<temperature>[\d.]+)\.loss$")]
    private static partial Regex LossName();

    [GeneratedRegex(@"^init\.(?<name>.+)$")]
    private static partial Regex ParameterName();

    [GeneratedRegex(@"^dino\.\w+$")]
    private static partial Regex DinoName();

    [GeneratedRegex(@"^k(?<k>\d+)\.class_scores$")]
    private static partial Regex VotesName();

    [GeneratedRegex(@"^(test|train)_(features|labels)$")]
    private static partial Regex InputName();
}
