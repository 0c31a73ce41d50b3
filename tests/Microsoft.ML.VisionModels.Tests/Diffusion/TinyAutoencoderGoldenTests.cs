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
public class TinyAutoencoderGoldenTests
{
    // Stored latents are rounded to bytes: where float32 rounds one the other way, decoding shows the step.
    private const double RoundingTolerance = 2e-2;

    public static TheoryData<string> Cases => GoldenCase.For("diffusion-taesd");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);

        var image = golden.Input("image");
        var latents = network.Encode(image);
        golden.AssertCloseWherePresent(new Dictionary<string, Tensor>
        {
            ["latents"] = latents,
            ["scaled_latents"] = network.ToStored(latents),
            ["unscaled_latents"] = network.FromStored(network.ToStored(latents)),
        });
        if (golden.Has("z"))
            golden.AssertClose("decoded", network.Decode(golden.Input("z")));
        if (golden.Has("reconstruction"))
        {
            var reconstruction = golden.Expected("reconstruction");
            golden.AssertClose("reconstruction", network.Reconstruct(image), relative: RoundingTolerance / reconstruction.abs().max().Item());
        }
        golden.AssertNoneForgotten(golden.NotCompared.Except(["image", "z"]));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void SavesUnderTheOfficialNames(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        golden.AssertSavesUnderTheOfficialNames(network, TinyAutoencoderDialect.All(network.Config)[0]);
    }

    /// <summary>The authors' own files tell without a configuration what they are.</summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void TheAuthorsFilesTellTheConfiguration(string name)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        CheckpointLoader.Save(network.Encoder, TinyAutoencoderDialect.Encoder(network.Config), folder.File("encoder.safetensors"));
        CheckpointLoader.Save(network.Decoder, TinyAutoencoderDialect.Decoder(network.Config), folder.File("decoder.safetensors"));
        using var reloaded = DiffusionModels.OpenTinyAutoencoder(folder.File("encoder.safetensors"), folder.File("decoder.safetensors"));
        Assert.Equal(ModelJson.Write(network.Config with { Activation = Activation.Relu }), ModelJson.Write(reloaded.Config));
        Assert.Equal(0, (network.Encode(golden.Input("image")) - reloaded.Encode(golden.Input("image"))).count_nonzero().item<long>());
        var latents = network.Encode(golden.Input("image"));
        Assert.Equal(0, (network.Decode(latents) - reloaded.Decode(latents)).count_nonzero().item<long>());
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void WritesAConfigThatReadsBackEqual(string name)
    {
        using var golden = GoldenCase.Open(name);
        var config = TinyAutoencoderConfig.FromDiffusers(golden.Config);
        var written = JsonSerializer.SerializeToElement(config.ToDiffusers());
        Assert.Equal(ModelJson.Write(config), ModelJson.Write(TinyAutoencoderConfig.FromDiffusers(written)));
    }

    private static TinyAutoencoder Load(GoldenCase golden)
    {
        using var checkpoint = golden.OpenModel();
        var network = new TinyAutoencoder(TinyAutoencoderConfig.FromDiffusers(golden.Config));
        CheckpointLoader.Load(network, checkpoint, TinyAutoencoderDialect.All(network.Config)[0]);
        network.eval();
        return network;
    }
}
