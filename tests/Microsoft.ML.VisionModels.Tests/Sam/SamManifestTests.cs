using System.Text.Json;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Tests.Sam;

public class SamManifestTests
{
    // Leftovers of the published files, which the library does not read.
    private static readonly string[] s_unread = ["transformers_version", "initializer_factor", "initializer_range", "intermediate_size", "projection_dim", "mlp_ratio", "dropout"];

    public static TheoryData<string, SamPreset> Manifests => new()
    {
        { "facebook-sam-vit-base", SamPreset.Base }, { "facebook-sam-vit-large", SamPreset.Large }, { "facebook-sam-vit-huge", SamPreset.Huge },
    };

    [Theory, MemberData(nameof(Manifests))]
    public void HasThePublishedTensors(string name, SamPreset preset)
    {
        var manifest = Manifest.Open(name);
        var config = SamConfig.FromHuggingFace(manifest.Config);
        using var network = new SamNetwork(config);
        manifest.AssertEqual(network, SamDialect.Published(config));
        Assert.Equal(ModelJson.Write(SamPresets.Of(preset) with { NormEps = 1e-6 }), ModelJson.Write(config));
    }

    [Theory, MemberData(nameof(Manifests))]
    public void WritesThePublishedConfig(string name, SamPreset preset)
    {
        var published = Manifest.Open(name).Config;
        Assert.Equal(preset, Enum.GetValues<SamPreset>().Single(p => SamPresets.Of(p).Vision?.Width == published.GetProperty("vision_config").GetProperty("hidden_size").GetInt32()));
        AssertHas(published, JsonSerializer.SerializeToElement(SamConfig.FromHuggingFace(published).ToHuggingFace()), "");

        static void AssertHas(JsonElement expected, JsonElement written, string path)
        {
            foreach (var entry in expected.EnumerateObject().Where(entry => !s_unread.Contains(entry.Name)))
            {
                if (entry.Value.ValueKind == JsonValueKind.Object)
                    AssertHas(entry.Value, written.GetProperty(entry.Name), $"{path}{entry.Name}.");
                else
                    Assert.True(JsonElement.DeepEquals(entry.Value, written.GetProperty(entry.Name)), path + entry.Name);
            }
        }
    }
}
