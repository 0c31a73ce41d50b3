using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

public class DiffusionManifestTests
{
    private const string UNetOfStableDiffusion = "runwayml-stable-diffusion-v1-5-unet", Autoencoder = "runwayml-stable-diffusion-v1-5-vae";

    public static TheoryData<string> UNets => [UNetOfStableDiffusion, "stabilityai-stable-diffusion-xl-base-1.0-unet", "google-ddpm-cifar10-32"];

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
        var manifest = Manifest.Open(Autoencoder);
        using var network = new AutoencoderKl(AutoencoderKlConfig.FromDiffusers(manifest.Config));
        manifest.AssertEqual(network, DiffusersDialect.Autoencoder);
        Assert.Equal(0.18215, network.Config.ScalingFactor);
    }

    [Fact]
    public void TheTinyAutoencoderHasThePublishedTensors()
    {
        var manifest = Manifest.Open("madebyollin-taesd");
        using var network = new TinyAutoencoder(TinyAutoencoderConfig.FromDiffusers(manifest.Config));
        manifest.AssertEqual(network, TinyAutoencoderDialect.All(network.Config)[0]);
    }

    [Fact]
    public void TheTextTowerHasThePublishedTensors()
    {
        var manifest = Manifest.Open("runwayml-stable-diffusion-v1-5-text_encoder");
        using var network = new ClipTextNetwork(ClipTextModel.Read(manifest.Config, manifest.Tensors));
        manifest.AssertEqual(network, ClipDialect.TextTower[0]);
    }

    [Fact]
    public void TheAuthorsNamesAreThoseOfTheMap()
    {
        using var unet = new UNet(UNetConfig.FromDiffusers(Manifest.Open(UNetOfStableDiffusion).Config));
        using var autoencoder = new AutoencoderKl(AutoencoderKlConfig.FromDiffusers(Manifest.Open(Autoencoder).Config));
        LdmNames.AssertEqual(Manifest.ReadMap("keymap-ldm-sd15"), unet, autoencoder);
    }
}
