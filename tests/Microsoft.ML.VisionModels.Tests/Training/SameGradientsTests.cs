using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Tests.Training;

/// <summary>Ways of saving memory and time that must not change what is learnt.</summary>
public class SameGradientsTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(32)]
    public void AccumulationGivesTheSameGradients(int parts)
    {
        // One step without clipping; the optimiser's first moments are then a tenth of the gradients.
        Dictionary<string, Tensor> Gradients(int accumulationSteps)
        {
            var options = new MoonsOptions { Epochs = 1, BatchSize = 250, GradientClip = 0, AccumulationSteps = accumulationSteps };
            using var task = new MoonsTask(options, rows: 250) { HasValidation = false };
            Dictionary<string, Tensor> gradients = [];
            TrainingLoop.Run(new EvalNorm(task), options, callbacks: new AfterStep(state =>
                gradients = state.Task.Network.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!.clone())));
            return gradients;
        }

        using var scope = NewDisposeScope();
        var expected = Gradients(1);
        var actual = Gradients(parts);
        Assert.NotEmpty(expected);
        Assert.All(expected, entry => TensorAssert.Close(entry.Value, actual[entry.Key], 1e-5));
    }

    [Theory]
    [InlineData(TrainedParts.All)]
    [InlineData(TrainedParts.LastBlocks)]
    public void CheckpointingGivesTheSameGradients(TrainedParts trained)
    {
        var config = new VisionModels.ViT.ViTConfig
        {
            ImageSize = 16, PatchSize = 4, Width = 32, Depth = 4, Heads = 2, MlpWidth = 64, Classes = 3,
            Dropout = 0.1, AttentionDropout = 0.1, DropPath = 0.3,
        };
        using var scope = NewDisposeScope();
        var pixels = randn([6, 3, 16, 16], generator: new Generator(3));
        var (expected, loss) = Gradients(checkpointing: false);
        var (actual, checkpointedLoss) = Gradients(checkpointing: true);
        Assert.Equal(loss, checkpointedLoss);
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.All(expected, entry => TensorAssert.Close(entry.Value, actual[entry.Key], 1e-5));

        (Dictionary<string, Tensor>, double Loss) Gradients(bool checkpointing)
        {
            var generator = new Generator(5);
            var model = new VisionModels.ViT.ViTClassifierModel(new VisionModels.ViT.ViTNetwork(config, generator).Initialize(new Generator(1)));
            model.Freeze(trained, lastBlocks: 2);
            model.GradientCheckpointing = checkpointing;
            // Twice: the random numbers of a step must not depend on how often those of the step before were drawn.
            double loss = 0;
            for (var step = 0; step < 2; step++)
            {
                var value = F.cross_entropy(model.Forward(pixels).Logits, tensor(new long[] { 0, 1, 2, 0, 1, 2 }));
                value.backward();
                loss += value.ToDouble();
            }
            return (model.Network.named_parameters().Where(p => p.parameter.requires_grad).ToDictionary(p => p.name, p => p.parameter.grad!), loss);
        }
    }

    [Fact]
    public void CheckpointingKeepsLess()
    {
        using var scope = NewDisposeScope();
        var transformer = new Transformer(new() { Width = 64, Depth = 8, Heads = 2, MlpWidth = 256 });
        Initialization.Fill(transformer, 0.02, new Generator(1));
        var x = randn([32, 65, 64], generator: new Generator(3));
        long Peak(bool checkpointing)
        {
            transformer.GradientCheckpointing = checkpointing;
            using var step = NewDisposeScope();
            GC.Collect();
            var before = Environment.WorkingSet;
            var output = transformer.forward(x).sum();
            var growth = Environment.WorkingSet - before;
            output.backward();
            return growth;
        }
        Peak(true);
        var (less, more) = (Peak(true), Peak(false));
        Assert.True(less < more / 2, $"{less >> 20} MB with, {more >> 20} MB without.");
    }

    private sealed class AfterStep(Action<TrainingState> look) : ITrainingCallback
    {
        public void OnStepEnd(TrainingState state) => look(state);
    }

    /// <summary>Batch norm would see each part alone, so it uses its running statistics.</summary>
    private sealed class EvalNorm(MoonsTask task) : ITrainingTask
    {
        public nn.Module Network => task.Network;
        public IReadOnlyList<ParameterGroup> ParameterGroups => task.ParameterGroups;
        public int StepsPerEpoch => task.StepsPerEpoch;
        public int SamplesPerEpoch => task.SamplesPerEpoch;
        public ValidationResult? Validate(CancellationToken cancellation) => null;
        public Tensor? Loss(int step, int part, int parts) => task.Loss(step, part, parts);

        public void StartEpoch(int epoch, int firstStep)
        {
            task.StartEpoch(epoch, firstStep);
            task.Network.eval();
        }
    }
}
