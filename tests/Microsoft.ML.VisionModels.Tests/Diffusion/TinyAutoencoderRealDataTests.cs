using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>A tiny autoencoder for FLUX.2's latents with its real weights, as its author publishes them: two pickles of 16-bit numbers.</summary>
[Trait("Category", "RealData")]
[Trait("Family", "Diffusion")]
public class TinyAutoencoderRealDataTests
{
    // The data's own page asks for it; float32's noise is 4e-6.
    private const double Tolerance = 1e-4;

    [Fact]
    public void LatentAndReconstructionAreTheAuthors()
    {
        var folder = TestFolders.Data("taef2");
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var about = ModelFolder.ReadFile(Path.Combine(folder, "config.json"))!.Value;
        using var network = DiffusionModels.OpenTinyAutoencoder(Path.Combine(folder, about.Get("encoder", "")), Path.Combine(folder, about.Get("decoder", "")));
        Assert.Equal(about.GetProperty("latent_channels").GetInt32(), network.LatentChannels);
        Assert.Equal(about.GetProperty("downscale").GetInt32(), network.Downscale);
        Assert.Equal(about.GetProperty("mid_block_pool").GetBoolean() ? (int?)about.GetProperty("pool_groups").GetInt32() : null, network.Config.PoolGroups);

        using var expected = Checkpoint.Open(Path.Combine(folder, "expected.safetensors"));
        var range = about.GetProperty("input_range");
        var (low, high) = (range[0].GetDouble(), range[1].GetDouble());
        var image = expected.Read("x").to(float32);
        var latents = network.Encode(image.Sub(low).Mul(2 / (high - low)).Sub(1));
        TensorAssert.Close(expected.Read("z").to(float32), latents, Tolerance);
        var reconstruction = network.Decode(latents).Add(1).Mul((high - low) / 2).Add(low);
        TensorAssert.Close(expected.Read("y").to(float32), reconstruction, Tolerance);
    }
}
