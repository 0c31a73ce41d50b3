using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.SelfSupervised;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// What learning without labels costs: a step of each method beside a plain step of the same backbone, forward, backward and the
/// optimizer's, on the same views; and making those views beside the same. Each turn is a process, so that its peak of memory is its own.
/// </summary>
internal static class SslStep
{
    public const string Child = "ssl-step-child";

    private const int Steps = 4, Side = 32;
    private const double WeightDecay = 0.05;

    public static void Run(BenchArguments arguments, SideBySide sideBySide)
    {
        foreach (var (threads, batch) in from threads in arguments.Threads from batch in arguments.Batches("128") select (threads, batch))
        {
            foreach (var method in Enum.GetValues<SslMethod>().Except([SslMethod.None]))
            {
                var backbone = method == SslMethod.Mae ? SslBackbone.ViTSmallImage : SslBackbone.ResNetSmallImage;
                var plain = Turn("plain", $"{backbone} plain step on them");
                sideBySide.Run($"ssl-step ({method})", Turn("method", $"{method} step"), plain, threads, batch);
                sideBySide.Run($"ssl-views ({method})", Turn("views", $"{method} views of a batch"), plain, threads, batch);

                Contestant Turn(string work, string name) => Contestant.InChild(name, Child, "--method", $"{method}", "--backbone", $"{backbone}", "--work", work, "--threads", $"{threads}", "--batch", $"{batch}");
            }
        }
    }

    /// <summary>One of the three: views, a method's steps, or plain steps.</summary>
    public static void RunChild(BenchArguments arguments)
    {
        set_num_threads(arguments.Threads[0]);
        var batch = arguments.Batches("128")[0];
        var options = new SslFeaturizerOptions
        {
            Method = Enum.Parse<SslMethod>(arguments.Text("method", "")), Backbone = Enum.Parse<SslBackbone>(arguments.Text("backbone", "")), BatchSize = batch, ImageSize = Side,
        };
        using var generator = new Generator(1);
        var plan = SslBackbones.Open(options);
        var maker = SslViewMaker.Of(options, plan.Size, plan.Patch);
        using var pixels = randint(256, [batch, 3, Side, Side], ScalarType.Byte, generator: generator);
        if (arguments.Text("work", "") == "views")
        {
            Work(() =>
            {
                using var scope = NewDisposeScope();
                maker.Make(pixels, generator);
            });
            return;
        }

        var (whole, local) = maker.Make(pixels, generator);
        using var learner = SslModel.Create(options, plan, generator);
        learner.DrawHeads(generator);
        using var plain = plan.Build(generator);
        var views = new SslViews(Scaled(whole), local is null ? null : Scaled(local));
        var task = arguments.Text("work", "") == "plain" ? new StepTask(plain, WeightDecay, () => Plain(plain, views)) : new MethodTask(learner, () => learner.Loss(views));
        var training = options.MethodPlan(seed: 1) with { Epochs = 1, LearningRate = 1e-4 };
        Work(() => TrainingLoop.Run(task, training));

        static Tensor Scaled(Tensor views) => views.to(ScalarType.Float32).Mul(1 / 128.0).Add(-1);

        static void Work(Action step)
        {
            step();     // compiled, and its memory taken
            Contestant.TellParent(step, Steps);
        }
    }

    /// <summary>A loss that needs all of the features of all views.</summary>
    private static Tensor Plain(nn.Module backbone, SslViews views)
    {
        var loss = backbone.Embed(views.Together).square().mean();
        return views.LocalTogether is { } local ? loss.Add(backbone.Embed(local).square().mean()) : loss;
    }

    /// <summary>With what a method does beside its loss.</summary>
    private sealed class MethodTask(SslLearner learner, Func<Tensor> loss) : StepTask(learner, WeightDecay, loss)
    {
        public override void AfterGradients(int epoch) => learner.AfterGradients(epoch);

        public override void AfterStep(long step, long totalSteps) => learner.AfterStep(step, totalSteps);
    }
}
