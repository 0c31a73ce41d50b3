using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class AttentionTests
{
    // What torch.nn.MultiheadAttention (4 wide, 2 heads) gives with the same weights.
    private static readonly double[] s_plain = [0.2034168541, 0.4982336164, 1.0571331978, 0.8741102815, 1.6906235218, -1.6962311268, 3.7052721977, -1.9216969013, 2.0005276203, -2.0127356052, 3.9918026924, -2.1451437473];
    private static readonly double[] s_causal = [2.0015213490, -2.0636460781, 4.0867476463, -2.2731511593, 1.7231452465, -1.7354350090, 3.7466278076, -1.9604251385, 2.0005276203, -2.0127356052, 3.9918026924, -2.1451437473];
    private static readonly double[] s_causalProbabilities = [1, 0, 0, 0.8103988767, 0.1896011233, 0, 0.9494093657, 0.0504378974, 0.0001527681, 1, 0, 0, 0.9483575821, 0.0516423807, 0, 0.9068881869, 0.0853160546, 0.0077957599];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EqualsPyTorch(bool causal)
    {
        using var scope = NewDisposeScope();
        using var attention = Attention(causal);
        var x = Tokens();
        var (output, probabilities) = attention.ForwardWithProbabilities(x, null);
        TensorAssert.Close(causal ? s_causal : s_plain, attention.forward(x), 1e-5);
        TensorAssert.Close(causal ? s_causal : s_plain, output, 1e-5);
        if (causal)
            TensorAssert.Close(s_causalProbabilities, probabilities, 1e-5);
    }

    [Fact]
    public void AMaskForSomeSequencesIsForAllThatFollow()
    {
        using var scope = NewDisposeScope();
        using var attention = Attention(causal: false);
        var x = Tokens().repeat(4, 1, 1);                                           // 4 sequences, and as many again
        x = x.narrow(0, 0, x.shape[0] / 2 * 2);
        var mask = randn(2, 2, 3, 3, generator: new Generator(2));
        var expected = attention.forward(x, mask.repeat(x.shape[0] / 2, 1, 1, 1));
        TensorAssert.Close(expected, attention.forward(x, mask), 1e-5);
        TensorAssert.Close(expected, attention.ForwardWithProbabilities(x, mask).Output, 1e-5);
        TensorAssert.Close(expected, attention.forward(x, mask.requires_grad_()), 1e-5);
    }

    [Fact]
    public void CosineScoresDoNotDependOnLengths()
    {
        using var scope = NewDisposeScope();
        using var attention = new Attention(new() { Width = 4, Depth = 1, Heads = 2, MlpWidth = 4, CosineAttention = true }, null);
        Initialization.Fill(attention, 0.5, new Generator(1));
        Assert.Equal(["q_bias", "v_bias", "logit_scale", "qkv.weight", "proj.weight", "proj.bias"], attention.named_parameters().Select(p => p.name).OrderBy(name => name.Contains('.')));
        var x = Tokens();
        var probabilities = attention.ForwardWithProbabilities(x, null).Probabilities;
        TensorAssert.Close(probabilities, attention.ForwardWithProbabilities(x.Mul(7), null).Probabilities, 1e-5);
        TensorAssert.Close(attention.ForwardWithProbabilities(x, null).Output, attention.forward(x), 1e-5);

        // However large it is learned, the factor ends at 100.
        using (no_grad())
            attention.state_dict()["logit_scale"].copy_(tensor((float)Math.Log(100)));
        var largest = attention.ForwardWithProbabilities(x, null).Probabilities;
        using (no_grad())
            attention.state_dict()["logit_scale"].copy_(tensor(9f));
        TensorAssert.Close(largest, attention.ForwardWithProbabilities(x, null).Probabilities, 1e-5);
    }

    [Fact]
    public void AMaskIsAddedToTheScores()
    {
        using var scope = NewDisposeScope();
        using var plain = Attention(causal: false);
        using var causal = Attention(causal: true);
        var x = Tokens();
        var future = ones(3, 3).Mul(double.NegativeInfinity).triu(1);
        TensorAssert.Close(s_causal, plain.forward(x, future), 1e-5);
        TensorAssert.Close(s_causal, plain.ForwardWithProbabilities(x, future).Output, 1e-5);

        // Padding on top of causality: the last token may not see the first.
        var padding = zeros(1, 1, 3, 3);
        padding[0, 0, 2, 0] = float.NegativeInfinity;
        var (output, probabilities) = causal.ForwardWithProbabilities(x, padding);
        TensorAssert.Close(output, causal.forward(x, padding), 1e-5);
        Assert.Equal(0, probabilities[0, 1, 2, 0].item<float>());
        Assert.Equal(0, probabilities[0, 1, 0, 2].item<float>());
    }

    [Fact]
    public void BFloat16IsClose()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var attention = Attention(causal: false);
        var expected = attention.forward(Tokens());
        attention.to(ScalarType.BFloat16);
        TensorAssert.Close(expected, attention.forward(Tokens().to(ScalarType.BFloat16)), 0.05);
    }

    [Fact]
    public void HeadsMustDivideTheWidth()
    {
        Assert.Contains("7", Assert.Throws<ArgumentException>(() => new Attention(new() { Width = 7, Depth = 1, Heads = 2, MlpWidth = 8 }, null)).Message);
    }

    private static Attention Attention(bool causal)
    {
        var attention = new Attention(new() { Width = 4, Depth = 1, Heads = 2, MlpWidth = 8, Causal = causal }, null);
        using var _ = no_grad();
        foreach (var parameter in attention.parameters())
            parameter.copy_(TensorArithmetic.Arange(parameter.numel()).view(parameter.shape).Mul(0.7).sin());
        return attention;
    }

    private static Tensor Tokens() => TensorArithmetic.Arange(12).view(1, 3, 4).Mul(0.3).cos();
}
