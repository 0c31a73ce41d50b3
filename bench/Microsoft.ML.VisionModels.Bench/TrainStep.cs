using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// A training step of ViT-Tiny on 32 x 32 in this package's loop, against TorchSharp's own optimizer in a plain loop and, with
/// --python, against PyTorch: same network, same weights, same batch.
/// </summary>
internal static class TrainStep
{
    private const double LearningRate = 1e-4, WeightDecay = 0.05, GradientClip = 1;

    public static void Run(BenchArguments arguments, SideBySide sideBySide)
    {
        var checkpoint = arguments.Place("checkpoint", "vit-tiny-patch4-32.safetensors");
        var python = arguments.Text("python", string.Empty);
        foreach (var threads in arguments.Threads)
        {
            set_num_threads(threads);
            foreach (var batch in arguments.Batches("64"))
            {
                using var scope = NewDisposeScope();
                using var network = Networks.Load(checkpoint);
                var train = Loop(network, batch);
                var ours = new Contestant("TrainingLoop", steps => Contestant.Measure(() => train(steps), 1).Per(steps));

                using var plainNetwork = Networks.Load(checkpoint);
                var plain = new PlainLoop(plainNetwork, batch);
                sideBySide.Run("train-step", ours, Contestant.Here("TorchSharp AdamW loop", plain.Step), threads, batch);

                if (python.Length > 0)
                {
                    using var worker = new PythonWorker(python, checkpoint, batch, threads);
                    worker.Turn(1);
                    using var fresh = Networks.Load(checkpoint);
                    CheckAgreement(Loop(fresh, batch)(1), worker.Loss);
                    sideBySide.Run("train-step", ours, new("PyTorch AdamW loop", worker.Turn), threads, batch);
                }
            }
        }
    }

    private static void CheckAgreement(double ours, double peer)
    {
        Console.WriteLine(FormattableString.Invariant($"Loss of the first step: {ours:F5}, the peer's {peer:F5}"));
        if (!(Math.Abs(ours - peer) < 1e-3 * peer))
            throw new InvalidOperationException("The two networks disagree: were both made from one checkpoint?");
    }

    /// <summary>A batch that both sides can make without files; train_step.py makes the same.</summary>
    private static (Tensor Pixels, Tensor Labels) Batch(ViTConfig config, int batch)
    {
        long[] shape = [batch, config.Channels, config.ImageSize.Height, config.ImageSize.Width];
        return (arange(batch * config.Channels * config.ImageSize.Area).to(ScalarType.Float32).sin().view(shape), arange(batch) % config.Classes!.Value);
    }

    /// <summary>Trains for so many steps, and gives their mean loss.</summary>
    private static Func<int, double> Loop(ViTNetwork network, int batch)
    {
        var (pixels, labels) = Batch(network.Config, batch);
        var task = new StepTask(network, WeightDecay, () => nn.functional.cross_entropy(network.forward(pixels), labels));
        return steps =>
        {
            task.StepsPerEpoch = steps;
            return TrainingLoop.Run(task, new TrainingPlan { Epochs = 1, BatchSize = batch, LearningRate = LearningRate, GradientClip = GradientClip }).Epochs[0].TrainLoss;
        };
    }

    private sealed class PlainLoop(ViTNetwork network, int batch)
    {
        private readonly (Tensor Pixels, Tensor Labels) _batch = Batch(network.Config, batch);
        private readonly optim.Optimizer _optimizer = optim.AdamW(network.parameters(), LearningRate, weight_decay: WeightDecay);

        public void Step()
        {
            using var scope = NewDisposeScope();
            network.train();
            _optimizer.zero_grad();
            nn.functional.cross_entropy(network.forward(_batch.Pixels), _batch.Labels).backward();
            nn.utils.clip_grad_norm_(network.parameters(), GradientClip);
            _optimizer.step();
        }
    }
}
