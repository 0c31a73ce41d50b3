using Microsoft.ML.VisionModels.ViT;

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
}
