using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Diffusion;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

public class DiffusionManifestTests
{
    public static TheoryData<string> UNets => ["runwayml-stable-diffusion-v1-5-unet", "stabilityai-stable-diffusion-xl-base-1.0-unet", "google-ddpm-cifar10-32"];

    // The largest would take 10 GB. Weights without values are memory that nobody has touched, and take none.
    [Theory, MemberData(nameof(UNets))]
    public void AUNetHasThePublishedTensors(string name)
    {
        var manifest = Manifest.Open(name);
        using var network = new UNet(UNetConfig.FromDiffusers(manifest.Config));
        manifest.AssertEqual(network, DiffusersDialect.UNet(network.Config));
    }

    [Fact]
    public void TheAutoencoderHasThePublishedTensors()
    {
        var manifest = Manifest.Open("runwayml-stable-diffusion-v1-5-vae");
        using var network = new AutoencoderKl(AutoencoderKlConfig.FromDiffusers(manifest.Config));
        manifest.AssertEqual(network, DiffusersDialect.Autoencoder);
        Assert.Equal(0.18215, network.Config.ScalingFactor);
    }
}
