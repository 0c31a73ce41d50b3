using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ViT;

namespace Microsoft.ML.VisionModels.Tests.ViT;

public class ViTManifestTests
{
    [Theory]
    [InlineData("google-vit-base-patch16-224")]
    [InlineData("google-vit-large-patch16-224")]
    public void HasThePublishedTensors(string name)
    {
        var manifest = Manifest.Open(name);
        var config = ViTConfig.FromHuggingFace(manifest.Config);
        using var network = new ViTNetwork(config);
        manifest.AssertEqual(network, ViTDialect.HuggingFace(config));
    }

    [Fact]
    public void WritesThePublishedConfig()
    {
        var published = Manifest.Open("google-vit-base-patch16-224").Config;
        var written = JsonSerializer.SerializeToElement(ViTConfig.FromHuggingFace(published).ToHuggingFace(published.Labels()));
        foreach (var entry in published.EnumerateObject().Where(entry => entry.Name != "transformers_version"))
            Assert.True(JsonElement.DeepEquals(entry.Value, written.GetProperty(entry.Name)), entry.Name);
    }
}
