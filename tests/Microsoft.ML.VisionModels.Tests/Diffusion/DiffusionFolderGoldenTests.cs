using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>The networks of whole models, as they are published: text towers alone, single files, and folders, of which each network's part in the making of an image is compared.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "Diffusion")]
public class DiffusionFolderGoldenTests
{
    public static TheoryData<string> TextEncoders => GoldenCase.For("diffusion-text-encoder");

    public static TheoryData<string> SingleFiles => GoldenCase.For("diffusion-ldm-single-file");

    public static TheoryData<string> Folders => GoldenCase.For("diffusion-pipeline");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(TextEncoders))]
    public void ATextTowerEqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        using var network = new ClipTextModel().Open(golden.Path).Build();
        using var trace = new Trace();
        var text = network.forward(golden.Input("input_ids"), trace);
        golden.AssertCloseWherePresent(trace.Tensors);
        golden.AssertCloseWherePresent(new Dictionary<string, Tensor> { ["pooler_output"] = trace["pooled"], ["text_embeds"] = text });
        TensorAssert.Close(trace["last_hidden_state"], network.Read(golden.Input("input_ids")).Tokens);
        golden.AssertNoneForgotten(golden.NotCompared.Except(["input_ids"]));
        golden.AssertSavesUnderTheOfficialNames(network, ClipDialect.TextTower[0]);
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(SingleFiles))]
    public void ASingleFileEqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        var model = SingleFile(golden);
        using var unet = model.OpenUNet();
        using var autoencoder = (AutoencoderKl)model.OpenAutoencoder();
        using var text = model.OpenTextEncoder();
        golden.AssertClose("unet_output", unet.forward(golden.Input("sample"), golden.Input("timestep"), new() { Words = golden.Input("context") }));
        golden.AssertClose("moments", autoencoder.Moments(golden.Input("image")));
        golden.AssertClose("decoded", autoencoder.Decode(golden.Input("z")));
        golden.AssertClose("text_last_hidden_state", text.Read(golden.Input("input_ids")).Tokens);
        golden.AssertNoneForgotten(golden.NotCompared.Except(["sample", "timestep", "context", "image", "z", "input_ids"]));
    }

    /// <summary>Each tensor's name in the authors' files and in diffusers'.</summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(SingleFiles))]
    public void TheAuthorsNamesAreThoseOfTheMap(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var model = SingleFile(golden);
        using var unet = model.OpenUNet();
        using var autoencoder = (AutoencoderKl)model.OpenAutoencoder();
        var map = golden.ReadJson("keymap.json").EnumerateObject().ToDictionary(entry => entry.Name, entry => (entry.Value[0].GetString()!, entry.Value[1].GetString()!));
        LdmNames.AssertEqual(map, unet, autoencoder);
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Folders))]
    public void AFoldersNetworksEqualTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        var model = PublishedDiffusion.Open(golden.Path);
        Assert.True(File.Exists(model.SchedulerConfig));
        Assert.True(model.HasAutoencoder);
        using var text = model.OpenTextEncoder();
        var tokenizer = model.OpenTokenizer(text.Config);
        var skip = golden.Config.TryGetProperty("clip_skip", out var skipped) && skipped.ValueKind == JsonValueKind.Number ? skipped.GetInt32() : 0;
        var prompts = Prompts("prompts");
        var ids = tokenizer.Encode(prompts);
        Assert.Equal(golden.Input("prompt_ids").data<long>().ToArray(), ids.data<long>().ToArray());
        Assert.Equal(golden.Input("negative_ids").data<long>().ToArray(), tokenizer.Encode(Prompts("negative_prompts")).data<long>().ToArray());

        var (tokens, pooled) = text.Read(ids);
        golden.AssertCloseWherePresent(new Dictionary<string, Tensor> { ["text_last_hidden_state"] = tokens, ["text_pooler_output"] = pooled });
        // Of each prompt may be several images.
        var repeats = golden.Input("unet_input").shape[1] / 2 / prompts.Length;
        var words = text.Read(ids, skip).Tokens.repeat_interleave(repeats, 0);
        var negativeWords = text.Read(golden.Input("negative_ids")).Tokens.repeat_interleave(repeats, 0);     // the reference skips no blocks for these
        golden.AssertCloseWherePresent(new Dictionary<string, Tensor> { ["prompt_embeds"] = words, ["negative_prompt_embeds"] = negativeWords });

        using var unet = model.OpenUNet();
        var (inputs, times) = (golden.Input("unet_input"), golden.Input("timesteps"));
        golden.AssertClose("noise_pred", stack(Enumerable.Range(0, (int)inputs.shape[0])
            .Select(step => unet.forward(inputs[step], times[step].view(1), new() { Words = cat([negativeWords, words]) }))));
        using var autoencoder = model.OpenAutoencoder();
        golden.AssertCloseWherePresent(new Dictionary<string, Tensor> { ["decoded_raw"] = autoencoder.ToImages(golden.Input("latents_after_step")[-1]) });

        string[] Prompts(string key) => [.. golden.Config.GetProperty(key).EnumerateArray().Select(prompt => prompt.GetString()!)];
    }

    private static DiffusionFile SingleFile(GoldenCase golden)
    {
        var config = golden.Config;
        return new(golden.File("model.safetensors"))
        {
            UNet = UNetConfig.FromDiffusers(config.GetProperty("diffusers_unet")),
            Autoencoder = AutoencoderKlConfig.FromDiffusers(config.GetProperty("diffusers_vae")),
            Text = ClipTextConfig.FromHuggingFace(config.GetProperty("text_encoder")) with { EmbeddingSize = 0 },
        };
    }
}

/// <summary>The authors' names and diffusers' names of the same tensors.</summary>
internal static class LdmNames
{
    /// <summary>Fails unless the dialects give each tensor the two names that a map has, part by part.</summary>
    /// <param name="map">By the authors' name the part of the model and diffusers' name.</param>
    /// <param name="unet">The U-Net.</param>
    /// <param name="autoencoder">The autoencoder.</param>
    public static void AssertEqual(Dictionary<string, (string Part, string Name)> map, UNet unet, AutoencoderKl autoencoder)
    {
        string[] ours =
        [
            .. Pairs(unet, LdmDialect.UNet(unet.Config), DiffusersDialect.UNet(unet.Config), "model.diffusion_model.", "unet"),
            .. Pairs(autoencoder, LdmDialect.Autoencoder(autoencoder.Config), DiffusersDialect.Autoencoder, "first_stage_model.", "vae"),
        ];
        Assert.Equal(map.Where(entry => entry.Value.Part is "unet" or "vae").Select(entry => $"{entry.Key} {entry.Value.Part} {entry.Value.Name}").Order(StringComparer.Ordinal), ours.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Pairs(nn.Module network, Dialect authors, Dialect diffusers, string prefix, string part) => network.state_dict().SelectMany(tensor =>
        authors.Map(tensor.Key, tensor.Value.shape, prefix).Parts.Zip(diffusers.Map(tensor.Key, tensor.Value.shape, "").Parts, (theirs, name) => $"{theirs} {part} {name}"));
}
