using System.Text.Json;
using Microsoft.ML.VisionModels.Families.ViT;

namespace Microsoft.ML.VisionModels.Tests.ViT;

[Trait("Family", "SelfSupervised")]
public class DinoManifestTests
{
    [Theory]
    [InlineData("facebook-dino-vits16")]
    [InlineData("facebook-dinov2-small")]
    [InlineData("facebook-dinov2-base")]
    public void HasThePublishedTensors(string name)
    {
        var manifest = Manifest.Open(name);
        var config = ViTConfig.FromHuggingFace(manifest.Config, manifest.Tensors);
        using var network = new ViTNetwork(config);
        manifest.AssertEqual(network, ViTDialect.HuggingFace(config));
    }

    [Theory]
    [InlineData("facebook-dinov2-small")]
    [InlineData("facebook-dinov2-base")]
    public void WritesThePublishedConfig(string name)
    {
        var published = Manifest.Open(name).Config;
        var written = JsonSerializer.SerializeToElement(ViTConfig.FromHuggingFace(published).ToHuggingFace(null));
        Assert.Equal(published.EnumerateObject().Select(entry => entry.Name).Order(StringComparer.Ordinal), written.EnumerateObject().Select(entry => entry.Name).Order(StringComparer.Ordinal));
        foreach (var entry in published.EnumerateObject())
            Assert.True(JsonElement.DeepEquals(entry.Value, written.GetProperty(entry.Name)), entry.Name);
    }
}
