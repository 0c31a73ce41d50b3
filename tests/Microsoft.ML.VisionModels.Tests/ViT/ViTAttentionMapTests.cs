using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.ViT;

/// <summary>The map of where the answer comes from, over networks with all kinds of tokens.</summary>
public class ViTAttentionMapTests
{
    private static readonly ViTConfig s_tiny = new() { ImageSize = new(16, 24), PatchSize = 8, Width = 16, Depth = 3, Heads = 2, MlpWidth = 32, Classes = 3 };

    public static TheoryData<int, bool, string> Tokens => new() { { 0, false, "Class" }, { 2, false, "Class" }, { 0, true, "Class" }, { 2, false, "ClassAndMean" } };

    [Theory, MemberData(nameof(Tokens))]
    public void AClassTokensMapIsItsRollout(int registers, bool distillation, string pooling)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var model = Model(s_tiny with { RegisterTokens = registers, DistillationToken = distillation, DistillationHead = distillation, Pooling = Enum.Parse<ViTPooling>(pooling) });
        var pixels = Pixels();
        var map = model.Classify(pixels, attention: true).Attention!;

        using var trace = new Trace();
        model.Tokens(pixels, trace);
        var tokens = trace["attentions.0"].shape[^1];
        var product = eye(tokens).expand(2, tokens, tokens);
        for (var block = 0; block < 3; block++)
            product = trace[$"attentions.{block}"].mean([1]).Mul(0.5).Add(eye(tokens).Mul(0.5)).matmul(product);
        var patches = product.select(1, 0).narrow(1, tokens - 6, 6);        // the patches come last
        TensorAssert.Close((patches / patches.amax([1], keepdim: true)).view(2, 2, 3), map, 1e-6);
        TensorAssert.Close(ones(2), map.amax([1, 2]), 0);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void AMeanOfPatchesMapIsTheirShareOfTheLogit(bool classToken)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var model = Model(s_tiny with { ClassToken = classToken, Pooling = ViTPooling.Mean });
        var pixels = Pixels();
        var output = model.Classify(pixels, attention: true);
        Assert.Equal(new(2, 3), model.AttentionSize);

        var tokens = model.Tokens(pixels);
        var weights = model.state_dict()["head.weight"].index_select(0, output.Logits.argmax(1));          // [B, D]
        var shares = (tokens.narrow(1, tokens.shape[1] - 6, 6) * weights.unsqueeze(1)).sum(-1).relu();          // [B, N]
        var largest = shares.amax([1], keepdim: true);     // 0 where no patch speaks for the answer, and only the bias does
        TensorAssert.Close((shares / largest).nan_to_num().view(2, 2, 3), output.Attention!, 1e-5);
        TensorAssert.Close(largest.sign().squeeze(1), output.Attention!.amax([1, 2]), 0);
    }

    [Fact]
    public void ThereIsNoMapWhereNobodyAsks()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var model = Model(s_tiny);
        Assert.Null(model.Classify(Pixels()).Attention);
    }

    private static Tensor Pixels() => randn(2, 3, 16, 24, generator: new Generator(2));

    private static ViTNetwork Model(ViTConfig config)
    {
        var network = new ViTNetwork(config).Drawn(new Generator(3));
        network.eval();
        return network;
    }
}
