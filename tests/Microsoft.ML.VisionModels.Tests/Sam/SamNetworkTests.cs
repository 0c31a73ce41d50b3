using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

public class SamNetworkTests
{
    [Fact]
    public void EveryParameterGetsAGradient()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var network = new SamNetwork(SamContractSetup.Tiny(32)).Initialize(generator);
        var pixels = randn(1, 3, 32, 32, generator: generator);
        var labels = tensor(new long[] { 1, 0, SamPromptEncoder.NotAPoint }, [1, 3]);
        var (masks, iou) = network.Decode(network.Encode(pixels), new(rand([1, 3, 2], generator: generator).Mul(32), labels, tensor(new float[] { 2, 3, 20, 25 }, [1, 4]), randn([1, 1, 16, 16], generator: generator)));
        var (plain, _) = network.Decode(network.Encode(pixels), new(rand([1, 1, 2], generator: generator).Mul(32), tensor(new long[] { 1 }, [1, 1])));
        (masks * masks).sum().Add((iou * iou).sum()).Add((plain * plain).sum()).backward();
        Assert.All(network.named_parameters(), parameter => Assert.True(parameter.parameter.grad is { } grad && grad.abs().sum().item<float>() > 0, parameter.name));
    }

    [Fact]
    public void HeadsOneByOneAreAsAllTogether()
    {
        // 64 x 64 places are enough for the bias to be made for a few heads at a time.
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var generator = new Generator(1);
        var config = new TransformerConfig { Width = 8, Depth = 1, Heads = 4, MlpWidth = 8 };
        using var attention = new Attention(config, null);
        using var positions = new DecomposedPositions(64, 2);
        Initialization.Fill(attention, 0.5, generator);
        foreach (var table in positions.parameters())
            Initialization.Normal(table, 1, generator);
        var x = randn(1, 64 * 64, 8, generator: generator);
        var biases = new List<Tensor>();
        var actual = attention.ForwardWithBias(x, q =>
        {
            Assert.Equal(1, q.shape[1]);
            biases.Add(positions.forward(q).DetachFromDisposeScope());
            return biases[^1];
        });
        var (expected, _) = attention.ForwardWithProbabilities(x, cat(biases, 1));
        biases.ForEach(bias => bias.Dispose());
        Assert.True(actual.allclose(expected, 1e-4, 1e-5));
    }
}
