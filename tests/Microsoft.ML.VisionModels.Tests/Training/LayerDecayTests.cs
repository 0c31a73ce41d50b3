using System.Text.Json;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Tests.Training;

[Trait("Category", "Golden")]
[Trait("Family", "Training")]
public class LayerDecayTests
{
    public static TheoryData<string> Cases => GoldenCase.For("ssl-layer-decay");

    /// <summary>The reference's groups, by the names of parameters; what is spared from weight decay is ParameterGroupsTests' concern.</summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TestFolders.Golden, name, "config.json")));
        var depth = file.RootElement.GetProperty("blocks").GetInt32();
        var decay = file.RootElement.GetProperty("layer_decay").GetDouble();
        using var network = new ViTNetwork(new ViTConfig { ImageSize = 16, PatchSize = 8, Width = 16, Depth = depth, Heads = 2, MlpWidth = 32, Classes = 2 });
        var compared = 0;
        foreach (var group in file.RootElement.GetProperty("groups").EnumerateArray())
        {
            foreach (var parameter in group.GetProperty("params").EnumerateArray())
            {
                Assert.Equal(group.GetProperty("lr_scale").GetDouble(), ParameterGroups.LayerDecay(decay, network.LayerOf(parameter.GetString()!), network.Depth), 1e-12);
                compared++;
            }
        }
        Assert.True(compared > depth);

        var scales = ParameterGroups.Of(network, 0.05, network.IsSparedFromDecay, parameter => ParameterGroups.LayerDecay(decay, network.LayerOf(parameter), network.Depth))
            .Select(group => Math.Round(group.RateScale, 9)).Distinct().Order();
        Assert.Equal(Enumerable.Range(0, depth + 2).Select(i => Math.Round(Math.Pow(decay, i), 9)).Order(), scales);
    }
}
