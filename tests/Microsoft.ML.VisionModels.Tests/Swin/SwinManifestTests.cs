using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Swin;

namespace Microsoft.ML.VisionModels.Tests.Swin;

public class SwinManifestTests
{
    public static TheoryData<string> Manifests =>
        ["microsoft-swin-tiny-patch4-window7-224", "microsoft-swin-base-patch4-window7-224", "microsoft-swinv2-tiny-patch4-window8-256"];

    [Theory, MemberData(nameof(Manifests))]
    public void HasThePublishedTensors(string name)
    {
        var manifest = Manifest.Open(name);
        var config = SwinConfig.FromHuggingFace(manifest.Config);
        using var network = new SwinNetwork(config);
        manifest.AssertEqual(network, SwinDialect.HuggingFace(config));
    }

    [Theory, MemberData(nameof(Manifests))]
    public void WritesThePublishedConfig(string name)
    {
        var published = Manifest.Open(name).Config;
        var written = JsonSerializer.SerializeToElement(SwinConfig.FromHuggingFace(published).ToHuggingFace(published.Labels()));
        // path_norm is a leftover that the library does not read.
        foreach (var entry in published.EnumerateObject().Where(entry => entry.Name is not ("transformers_version" or "path_norm")))
            Assert.True(JsonElement.DeepEquals(entry.Value, written.GetProperty(entry.Name)), entry.Name);
    }
}
