using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

[Trait("Category", "Golden")]
[Trait("Family", "Diffusion")]
public class AutoencoderKlGoldenTests
{
    private static readonly string[] s_inputs = ["image", "z", "noise"];

    public static TheoryData<string> Cases => GoldenCase.For("diffusion-vae");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        using var trace = new Trace();

        var image = golden.Input("image");
        var moments = network.Moments(image, trace);
        var latents = new LatentDistribution(moments);
        var outputs = new Dictionary<string, Tensor>
        {
            ["moments"] = moments,
            ["mean"] = latents.Mean,
            ["latent_mode"] = latents.Mean,
            ["logvar_clamped"] = latents.LogVariance,
            ["std"] = latents.StandardDeviation,
            ["kl_per_sample"] = latents.Divergence(),
            ["latent_scaled"] = network.ToLatents(image),
            ["reconstruction_mode"] = network.Decode(latents.Mean, trace),      // whose taps the cases hold
        };
        if (golden.Has("z"))
        {
            outputs["decoded"] = network.Decode(golden.Input("z"));
            outputs["decoded_from_scaled"] = network.ToImages(golden.Input("z"));
        }
        if (golden.Has("noise"))
        {
            outputs["latent_sample"] = latents.Sample(golden.Input("noise"));
            TensorAssert.Close(outputs["latent_sample"].Sub(network.Config.ShiftFactor).Mul(network.Config.ScalingFactor), network.ToLatents(image, golden.Input("noise")));
        }
        golden.AssertCloseWherePresent(outputs);
        golden.AssertCloseWherePresent(trace.Tensors.ToDictionary(entry => "tap." + entry.Key, entry => entry.Value));
        golden.AssertNoneForgotten(golden.NotCompared.Except(s_inputs));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void SavesUnderTheOfficialNames(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        using var official = golden.OpenModel();
        Assert.SkipWhen(official.Tensors.Keys.Any(tensor => tensor.Contains("proj_attn", StringComparison.Ordinal)), "The case has names that are read and no longer written.");
        golden.AssertSavesUnderTheOfficialNames(network, DiffusersDialect.Autoencoder);
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void WritesAConfigThatReadsBackEqual(string name)
    {
        using var golden = GoldenCase.Open(name);
        var config = AutoencoderKlConfig.FromDiffusers(golden.Config);
        var written = JsonSerializer.SerializeToElement(config.ToDiffusers());
        Assert.Equal(ModelJson.Write(config), ModelJson.Write(AutoencoderKlConfig.FromDiffusers(written)));
    }

    private static AutoencoderKl Load(GoldenCase golden)
    {
        using var checkpoint = golden.OpenModel();
        var network = new AutoencoderKl(AutoencoderKlConfig.FromDiffusers(golden.Config));
        CheckpointLoader.Load(network, checkpoint, DiffusersDialect.Autoencoder);
        network.eval();
        return network;
    }
}
