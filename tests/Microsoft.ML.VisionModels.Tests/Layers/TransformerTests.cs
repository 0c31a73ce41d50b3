using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class TransformerTests
{
    private static readonly TransformerConfig s_config = new() { Width = 8, Depth = 3, Heads = 2, MlpWidth = 16 };

    [Fact]
    public void ParametersHaveTimmsNames()
    {
        using var transformer = Build(s_config with { LayerScale = 1e-5, Depth = 1 });
        Assert.Equal(
            ["0.attn.proj.bias", "0.attn.proj.weight", "0.attn.qkv.bias", "0.attn.qkv.weight", "0.ls1.gamma", "0.ls2.gamma",
             "0.mlp.fc1.bias", "0.mlp.fc1.weight", "0.mlp.fc2.bias", "0.mlp.fc2.weight", "0.norm1.bias", "0.norm1.weight", "0.norm2.bias", "0.norm2.weight"],
            transformer.state_dict().Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void LayerScaleOfZeroIsTheIdentity()
    {
        using var scope = NewDisposeScope();
        using var transformer = Build(s_config with { LayerScale = 0 });
        var x = randn(2, 5, 8, generator: new Generator(1));
        TensorAssert.Close(x, transformer.forward(x));
    }

    [Fact]
    public void PostNormEndsInALayerNorm()
    {
        using var scope = NewDisposeScope();
        using var transformer = Build(s_config with { PostNorm = true });
        var y = transformer.forward(randn(2, 5, 8, generator: new Generator(1)));
        TensorAssert.Close(zeros(2, 5), y.mean([-1]), 1e-5);
        TensorAssert.Close(ones(2, 5), y.var(-1, unbiased: false), 1e-3);
    }

    [Fact]
    public void DropPathGrowsWithDepth()
    {
        var config = s_config with { DropPath = 0.2 };
        Assert.Equal([0, 0.1, 0.2], Enumerable.Range(0, 3).Select(config.DropPathOf));
        Assert.Equal(0, (config with { Depth = 1 }).DropPathOf(0));
    }

    [Fact]
    public void TraceSeesEveryLayerAndChangesNothing()
    {
        using var scope = NewDisposeScope();
        using var transformer = Build(s_config);
        var x = randn(2, 5, 8, generator: new Generator(1));
        using var trace = new Trace();
        var y = transformer.forward(x, trace: trace.In("text"));
        TensorAssert.Close(transformer.forward(x), y, 1e-5);
        Assert.Equal(
            ["text.attentions.0", "text.attentions.1", "text.attentions.2", "text.hidden_states.0", "text.hidden_states.1", "text.hidden_states.2", "text.hidden_states.3"],
            trace.Tensors.Keys.Order(StringComparer.Ordinal));
        TensorAssert.Close(y, trace["text.hidden_states.3"]);
        TensorAssert.Close(ones(2, 2, 5), trace["text.attentions.1"].sum(-1), 1e-5);
    }

    [Fact]
    public void TraceTakesOnlyWhatItWantsAndOutlivesTheScope()
    {
        using var transformer = Build(s_config);
        using var trace = new Trace("attentions.2");
        using (NewDisposeScope())
            transformer.forward(randn(2, 5, 8, generator: new Generator(1)), trace: trace);
        Assert.Equal(["attentions.2"], trace.Tensors.Keys);
        Assert.Equal([2, 2, 5, 5], trace["attentions.2"].shape);
        Assert.Contains("attentions.1", Assert.Throws<KeyNotFoundException>(() => trace["attentions.1"]).Message);
    }

    [Fact]
    public void ForwardLeavesNothingBehindButItsResult()
    {
        using var transformer = Build(s_config);
        using var x = randn(2, 5, 8, generator: new Generator(1));
        using var outer = NewDisposeScope();
        transformer.forward(x);
        Assert.Equal(s_config.Depth, outer.DisposablesCount);   // the output of each block
    }

    private static Transformer Build(TransformerConfig config)
    {
        var transformer = new Transformer(config);
        Initialization.Fill(transformer, 0.5, new Generator(2));
        return transformer;
    }
}
