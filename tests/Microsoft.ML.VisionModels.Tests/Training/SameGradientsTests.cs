using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Tests.Training;

/// <summary>Ways of saving memory and time that must not change what is learned.</summary>
public class SameGradientsTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(32)]
    public void AccumulationGivesTheSameGradients(int parts)
    {
        // One step without clipping; the optimizer's first moments are then a tenth of the gradients.
        Dictionary<string, Tensor> Gradients(int accumulationSteps)
        {
            var options = new MoonsOptions { Epochs = 1, BatchSize = 250, GradientClip = 0, AccumulationSteps = accumulationSteps };
            using var task = new MoonsTask(options, rows: 250) { HasValidation = false };
            Dictionary<string, Tensor> gradients = [];
            TrainingLoop.Run(new EvalNorm(task), options.Plan(), callbacks: new AfterStep(state =>
                gradients = state.Task.Network.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!.clone())));
            return gradients;
        }

        using var scope = NewDisposeScope();
        var expected = Gradients(1);
        var actual = Gradients(parts);
        Assert.NotEmpty(expected);
        Assert.All(expected, entry => TensorAssert.Close(entry.Value, actual[entry.Key], 1e-5));
    }

    public static TheoryData<string, TrainedParts> Networks => new MatrixTheoryData<string, TrainedParts>(["ViT", "DINOv2", "Swin", "SwinV2", "ResNet"], [TrainedParts.All, TrainedParts.LastBlocks]);

    [Theory, MemberData(nameof(Networks))]
    public void CheckpointingGivesTheSameGradients(string family, TrainedParts trained)
    {
        using var scope = NewDisposeScope();
        var pixels = randn([6, 3, 16, 16], generator: new Generator(3));
        var (expected, loss) = Gradients(checkpointing: false);
        var (actual, checkpointedLoss) = Gradients(checkpointing: true);
        Assert.Equal(loss, checkpointedLoss);
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.All(expected, entry => TensorAssert.Close(entry.Value, actual[entry.Key], 1e-5));

        (Dictionary<string, Tensor>, double Loss) Gradients(bool checkpointing)
        {
            var model = Model(family, new Generator(5));
            ImageClassifier.Freeze(model, trained, lastBlocks: 2);
            ((ITrainableNetwork)model).GradientCheckpointing = checkpointing;
            // Twice: the random numbers of a step must not depend on how often those of the step before were drawn.
            double loss = 0;
            for (var step = 0; step < 2; step++)
            {
                var value = F.cross_entropy(((IClassifierNetwork)model).Classify(pixels).Logits, tensor(new long[] { 0, 1, 2, 0, 1, 2 }));
                value.backward();
                loss += value.Item();
            }
            return (model.named_parameters().Where(p => p.parameter.requires_grad).ToDictionary(p => p.name, p => p.parameter.grad!), loss);
        }
    }

    private static nn.Module Model(string family, Generator generator)
    {
        if (family is "ViT" or "DINOv2")
        {
            var config = new ViTConfig
            {
                ImageSize = 16, PatchSize = 4, Width = 32, Depth = 4, Heads = 2, MlpWidth = 64, Classes = 3, Dropout = 0.1, AttentionDropout = 0.1, DropPath = 0.3,
            };
            if (family == "DINOv2")
                config = config with { Activation = Activation.SwiGlu, LayerScale = 0.1, RegisterTokens = 2, Pooling = ViTPooling.ClassAndMean };
            return new ViTNetwork(config, generator).Drawn(new Generator(1));
        }
        if (family == "ResNet")
            return new ResNetNetwork(Tests.ResNet.ResNetNetworkTests.Tiny with { Classes = 3, DropPath = 0.3 }, generator).Drawn(new Generator(1));
        return new SwinNetwork(Tests.Swin.SwinNetworkTests.Tiny with
        {
            Version = family == "SwinV2" ? SwinVersion.V2 : SwinVersion.V1, ImageSize = 16, Classes = 3, DropPath = 0.3,
        }, generator).Drawn(new Generator(1));
    }

    /// <summary>The first pass leaves no graph behind, and so none of its tensors; the second is made where the gradients are.</summary>
    [Fact]
    public void CheckpointingComputesBlocksTwice()
    {
        using var scope = NewDisposeScope();
        using var block = nn.Linear(4, 4);
        var withGraph = new List<bool>();
        var x = ones(2, 4);
        var y = GradientCheckpointing.Run(block, input =>
        {
            withGraph.Add(is_grad_enabled());
            return block.forward(input);
        }, x, null);
        Assert.Equal([false], withGraph);
        y.sum().backward();
        Assert.Equal([false, true], withGraph);
        Assert.Null(x.grad);
        TensorAssert.Close(ones(4, 4).Mul(2), block.weight!.grad!);

        using var noGradients = no_grad();
        GradientCheckpointing.Run(block, input => block.forward(input), x, null);
        Assert.Equal(2, withGraph.Count);
    }

    /// <summary>An exception cannot pass through libtorch: it waits, and the process lives.</summary>
    [Fact]
    public void WhatGoesWrongInTheSecondPassIsThrownAfterIt()
    {
        using var scope = NewDisposeScope();
        using var block = nn.Linear(4, 4);
        var calls = 0;
        var y = GradientCheckpointing.Run(block, input => ++calls == 2 ? throw new InvalidDataException("second") : block.forward(input), ones(2, 4), null);
        y.sum().backward();
        // It is this training's alone.
        Exception? others = null;
        var thread = new Thread(() => others = Record.Exception(GradientCheckpointing.ThrowIfFailed));
        thread.Start();
        thread.Join();
        Assert.Null(others);
        Assert.Equal("second", Assert.Throws<InvalidDataException>(GradientCheckpointing.ThrowIfFailed).Message);
        GradientCheckpointing.ThrowIfFailed();
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
