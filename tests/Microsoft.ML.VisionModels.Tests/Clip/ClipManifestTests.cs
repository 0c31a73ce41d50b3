using System.Text.Json;
using Microsoft.ML.VisionModels.Families.Clip;

namespace Microsoft.ML.VisionModels.Tests.Clip;

public class ClipManifestTests
{
    public static TheoryData<string> Manifests => ["openai-clip-vit-base-patch32", "openai-clip-vit-base-patch16", "openai-clip-vit-large-patch14"];

    [Theory, MemberData(nameof(Manifests))]
    public void HasThePublishedTensors(string name)
    {
        var manifest = Manifest.Open(name);
        using var network = new ClipNetwork(ClipConfig.FromHuggingFace(manifest.Config));
        manifest.AssertEqual(network, ClipDialect.HuggingFace);
    }

    [Theory, MemberData(nameof(Manifests))]
    public void WritesThePublishedConfig(string name)
    {
        var published = Manifest.Open(name).Config;
        var written = JsonSerializer.SerializeToElement(ClipConfig.FromHuggingFace(published).ToHuggingFace());
        AssertHolds(published, written);
    }

    /// <summary>All that the published configuration says, but for what the library does not read for a network of this kind.</summary>
    private static void AssertHolds(JsonElement published, JsonElement written)
    {
        foreach (var entry in published.EnumerateObject())
        {
            if (entry.Value.ValueKind == JsonValueKind.Object)
                AssertHolds(entry.Value, written.GetProperty(entry.Name));
            else if (entry.Name is not ("transformers_version" or "dropout" or "initializer_factor" or "initializer_range" or "bos_token_id" or "pad_token_id" or "text_config_dict" or "vision_config_dict"))
                Assert.True(JsonElement.DeepEquals(entry.Value, written.GetProperty(entry.Name)), entry.Name);
        }
    }
}
