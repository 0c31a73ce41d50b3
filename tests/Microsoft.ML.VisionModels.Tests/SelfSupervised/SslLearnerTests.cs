using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Families.SelfSupervised;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.SelfSupervised;

public class SslLearnerTests
{
    private static readonly ViTConfig s_vit = new() { ImageSize = 16, PatchSize = 4, Width = 16, Depth = 2, Heads = 2, MlpWidth = 32, Interpolation = PositionInterpolation.ScaleFactor };

    private static readonly ResNetConfig s_resNet = ResNetConfig.Of(ResNetBlockKind.Basic, [1, 1, 1, 1], width: 4) with { ImageSize = 16, SmallStem = true };

    public static TheoryData<SslMethod> Methods => [SslMethod.SimClr, SslMethod.Byol, SslMethod.Dino, SslMethod.Mae];

    /// <summary>What learns gets a gradient, what follows gets none.</summary>
    [Theory, MemberData(nameof(Methods))]
    public void EveryParameterThatLearnsGetsAGradient(SslMethod method)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var learner = Learner(method, generator);
        learner.train();
        learner.Loss(Views()).backward();
        var learning = learner.named_parameters().Where(entry => entry.parameter.requires_grad).ToArray();
        Assert.NotEmpty(learning);
        Assert.All(learning, entry => Assert.True(entry.parameter.grad is { } gradient && gradient.isfinite().all().item<bool>(), entry.name));
        Assert.All(learner.named_parameters().Where(entry => !entry.parameter.requires_grad), entry => Assert.Null(entry.parameter.grad));
    }

    /// <summary>Products of 16 bits change the loss by little, and what is compared has 32.</summary>
    [Theory, MemberData(nameof(Methods))]
    public void MixedPrecisionGivesNearlyTheSameLoss(SslMethod method)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (full, mixed) = (Loss(null), Loss(MixedPrecision.Begin()));
        Assert.Equal(ScalarType.Float32, mixed.dtype);
        Assert.InRange((full - mixed).abs().item<float>() / full.abs().item<float>(), 0, 0.03f);

        Tensor Loss(IDisposable? precision)
        {
            using var while_ = precision;
            using var generator = new Generator(1);
            using var learner = Learner(method, generator);
            learner.eval();     // statistics over six images enlarge what rounding leaves
            return learner.Loss(Views());
        }
    }

    /// <summary>Blocks that are computed twice give the same gradients, reached as methods reach them.</summary>
    [Theory]
    [InlineData(SslMethod.Byol)]
    [InlineData(SslMethod.Dino)]
    public void CheckpointingGivesTheSameGradients(SslMethod method)
    {
        using var scope = NewDisposeScope();
        var (plain, checkpointed) = (Gradients(false), Gradients(true));
        Assert.All(plain, entry => TensorAssert.Close(entry.Value, checkpointed[entry.Key], 1e-5));

        Dictionary<string, Tensor> Gradients(bool checkpointing)
        {
            using var generator = new Generator(1);
            using var learner = Learner(method, generator);
            learner.train();
            learner.Learns.Network.GradientCheckpointing = checkpointing;
            learner.Loss(Views()).backward();
            GradientCheckpointing.ThrowIfFailed();
            return learner.named_parameters().Where(entry => entry.parameter.grad is not null).ToDictionary(entry => entry.name, entry => entry.parameter.grad!.clone());
        }
    }

    [Theory, MemberData(nameof(Methods))]
    public void TheLossFalls(SslMethod method)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var learner = Learner(method, generator);
        learner.train();
        using var optimizer = new AdamW(ParameterGroups.Of(learner, 0));
        var views = Views();
        var losses = Enumerable.Range(0, 40).Select(step =>
        {
            using var each = NewDisposeScope();
            var loss = learner.Loss(views);
            loss.backward();
            optimizer.Step(3e-3);
            foreach (var parameter in learner.parameters())
                parameter.grad = null;
            learner.AfterStep(step, 40);
            return loss.item<float>();
        }).ToArray();
        Assert.True(losses[^5..].Average() < 0.8 * losses[0], $"{losses[0]} to {losses[^1]}");
    }

    [Fact]
    public void TheTargetFollowsAndKeepsItsOwnStatistics()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var learner = (Byol)Learner(SslMethod.Byol, generator);
        var state = learner.state_dict();
        Assert.All(state.Keys.Where(name => name.StartsWith("target_")), name => Assert.True(state[name].Equals(state[name["target_".Length..]]), name));
        learner.train();
        using (no_grad())
        {
            foreach (var (name, parameter) in learner.named_parameters())
            {
                if (!name.StartsWith("target_"))
                    parameter.copy_(parameter.Add(1));
            }
        }
        learner.AfterStep(0, 10);
        var (online, target) = (state["backbone.layer1.0.conv1.weight"], state["target_backbone.layer1.0.conv1.weight"]);
        Assert.Equal(0.98, (online - target).mean().item<float>(), 1e-4);
        Assert.All(state["target_backbone.bn1.running_mean"].data<float>().ToArray(), mean => Assert.Equal(0, mean));
        learner.AfterStep(10, 10);      // the momentum is 1 at the end
        Assert.Equal(0.98, (online - target).mean().item<float>(), 1e-4);
    }

    [Fact]
    public void TheLastLayerWaits()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var learner = Learner(SslMethod.Dino, generator);
        learner.train();
        var last = learner.named_parameters().Single(entry => entry.name == "student_head.last_layer.weight_v").parameter;
        learner.Loss(Views()).backward();
        learner.AfterGradients(epoch: 1);
        Assert.NotNull(last.grad);
        learner.AfterGradients(epoch: 0);
        Assert.Null(last.grad);
    }

    [Fact]
    public void MaskedPatchesArePaintedAndOthersStay()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var learner = (Mae)Learner(SslMethod.Mae, generator);
        learner.eval();
        var pixels = Views().Together;
        var (painted, hidden) = learner.Paint(pixels);
        Assert.Equal(pixels.shape, painted.shape);
        var kept = hidden.eq(pixels).all(1);                                    // [B, H, W]
        Assert.Equal(0.25, kept.to(float32).mean().item<float>(), 1e-6);
        Assert.True(painted.eq(pixels).all(1).logical_or(kept.logical_not()).all().item<bool>());
        Assert.True(painted.isfinite().all().item<bool>());
        // A patch is hidden as a whole.
        var patches = kept.to(float32).view(-1, 4, 4, 4, 4).mean([2, 4]);
        Assert.All(patches.contiguous().data<float>().ToArray(), share => Assert.True(share is 0 or 1));
    }

    private static SslLearner Learner(SslMethod method, Generator generator)
    {
        SslLearner learner = method switch
        {
            SslMethod.SimClr => new SimClr(ResNet(), new() { HiddenSize = 16, ProjectionSize = 8 }),
            SslMethod.Byol => new Byol(ResNet(), ResNet(), new() { HiddenSize = 16, ProjectionSize = 8 }),
            SslMethod.Dino => new Dino(ViT(), ViT(), new() { Prototypes = 16, HeadHiddenSize = 16, BottleneckSize = 8, NormalizePrototypes = false }),
            _ => new Mae(ViT(), new() { DecoderWidth = 16, DecoderDepth = 1, DecoderHeads = 2 }, generator),
        };
        learner.DrawHeads(generator);
        return learner;

        ResNetNetwork ResNet() => new ResNetNetwork(s_resNet, generator).Drawn(generator);

        ViTNetwork ViT() => new ViTNetwork(s_vit, generator).Drawn(generator);
    }

    private static SslViews Views()
    {
        using var generator = new Generator(2);
        return new(randn([6, 2, 3, 16, 16], generator: generator), randn([6, 2, 3, 8, 8], generator: generator));
    }
}
