using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class AttentionRolloutTests
{
    [Fact]
    public void EqualsThePapersProductOfMatrices()
    {
        using var scope = NewDisposeScope();
        var attentions = Enumerable.Range(0, 4).Select(layer => randn(3, 2, 5, 5, generator: new Generator((ulong)layer)).softmax(-1)).ToArray();   // [B, heads, T, T]

        // As in section 3: A = 0.5 W + 0.5 I with rows that sum to 1, rolled out from the first layer on.
        var product = eye(5).expand(3, 5, 5);
        foreach (var attention in attentions)
        {
            var a = attention.mean([1]).Mul(0.5).Add(eye(5).Mul(0.5));
            product = (a / a.sum(-1, keepdim: true)).matmul(product);
        }

        Tensor[] means = [.. attentions.Select(AttentionRollout.MeanOfHeads)];
        TensorAssert.Close(product.select(1, 0), AttentionRollout.Of(means, token: 0), 1e-6);
        TensorAssert.Close(product.select(1, 3), AttentionRollout.Of(means, token: 3), 1e-6);
        TensorAssert.Close(ones(3), AttentionRollout.Of(means, token: 0).sum(-1), 1e-6);
    }

    [Fact]
    public void FollowsATokenThroughTwoLayers()
    {
        using var scope = NewDisposeScope();
        // In the last layer token 0 looks at token 1 alone, in the first token 1 at token 2: half stays at each step.
        var first = tensor(new float[] { 1, 0, 0, 0, 0, 1, 0, 0, 1 }).view(1, 3, 3);
        var last = tensor(new float[] { 0, 1, 0, 0, 1, 0, 0, 0, 1 }).view(1, 3, 3);
        TensorAssert.Close(tensor(new[] { 0.5f, 0.25f, 0.25f }).view(1, 3), AttentionRollout.Of([first, last], token: 0), 1e-7);
    }

    [Fact]
    public void AClassActivationIsThePatchesShareOfTheLogit()
    {
        using var scope = NewDisposeScope();
        var features = randn(2, 6, 4, generator: new Generator(1));
        var weight = randn(3, 4, generator: new Generator(2));
        var logits = features.mean([1]).matmul(weight.t());
        var classes = logits.argmax(1);
        var map = ClassActivation.Of(features, weight, classes);
        for (var image = 0; image < 2; image++)
        {
            var shares = features[image].matmul(weight[classes[image].item<long>()]);
            Assert.Equal(logits[image].max().item<float>(), shares.mean().item<float>(), 1e-5f);
            TensorAssert.Close(shares.relu(), map[image], 1e-6);
        }
    }
}
