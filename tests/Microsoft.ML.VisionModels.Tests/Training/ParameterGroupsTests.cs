using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class ParameterGroupsTests
{
    [Fact]
    public void SpareNormsBiasesAndNamedTokensAndLeaveOutFrozenWeights()
    {
        using var network = nn.Sequential(
            ("patch_embed", nn.Conv2d(3, 4, 2)), ("cls_token", nn.Embedding(1, 4)), ("norm", nn.LayerNorm(4)), ("frozen", nn.Linear(4, 4)), ("head", nn.Linear(4, 2)));
        foreach (var (name, parameter) in network.named_parameters())
            parameter.requires_grad = !name.StartsWith("frozen", StringComparison.Ordinal);

        var groups = ParameterGroups.Of(network, 0.05, name => name.Contains("cls_token"));

        var names = network.named_parameters().ToDictionary(p => p.parameter.Handle, p => p.name);
        Assert.Equal([0.05, 0], groups.Select(g => g.WeightDecay));
        Assert.Equal(["head.weight", "patch_embed.weight"], groups[0].Parameters.Select(p => names[p.Handle]).Order());
        Assert.Equal(["cls_token.weight", "head.bias", "norm.bias", "norm.weight", "patch_embed.bias"], groups[1].Parameters.Select(p => names[p.Handle]).Order());
    }
}
