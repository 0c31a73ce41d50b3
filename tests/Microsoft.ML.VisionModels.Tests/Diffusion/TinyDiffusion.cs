using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>Small models of random weights, as they are published.</summary>
internal static class TinyDiffusion
{
    /// <summary>A small Stable Diffusion 1 of the reference's, with latents of four pixels.</summary>
    public static string StableDiffusion => Path.Combine(TestFolders.OwnGolden, "diffusion-pipeline-t2i");

    /// <summary>A U-Net of random weights, none of them zero: what begins as zero would hide what is before it.</summary>
    public static UNet Drawn(UNetConfig config, ulong seed = 1)
    {
        var network = new UNet(config);
        using var generator = new Generator(seed);
        network.Draw(generator);
        foreach (var parameter in network.parameters().Where(parameter => parameter.dim() > 1 && parameter.count_nonzero().item<long>() == 0))
            Initialization.Normal(parameter, 0.1, generator);
        return network;
    }

    // Single files tell heads of 64 and norms of 32 groups, or rather tell neither.
    private const int Width = 64, TextSize = 10, SizeWidth = 256;

    public static UNetConfig XlUNet => new()
    {
        SampleSize = 4, InputChannels = 4, OutputChannels = 4, Channels = [32, Width], Layers = [1, 1], Down = [StageAttention.None, StageAttention.Words], Up = [StageAttention.Words, StageAttention.None],
        Heads = [1, 1], ContextWidths = [2 * Width, 2 * Width], Depths = [0, 1], OnlyCrossAttention = [false, false], LinearProjection = true, SizeWidth = SizeWidth, ProjectionWidth = TextSize + 6 * SizeWidth,
    };

    public static AutoencoderKlConfig XlAutoencoder => new() { Channels = [32, 32, 32], Layers = 1, Down = [false, false, false], Up = [false, false, false], ScalingFactor = 0.13025 };

    /// <summary>The text towers: 64 wide, of three and four blocks, with the vocabulary of <see cref="StableDiffusion"/>.</summary>
    public static ClipTextConfig XlText(int index) => new()
    {
        VocabularySize = 634, Width = Width, Depth = 3 + index, Heads = 1, MlpWidth = 48, Activation = Activation.Gelu, EmbeddingSize = index == 0 ? 0 : TextSize,
    };

    /// <summary>Writes an SDXL for images of 16 x 16.</summary>
    /// <param name="folder">The folder; its name may be asked for.</param>
    /// <param name="change">Changes what model_index.json says.</param>
    public static void WriteXl(string folder, Action<JsonObject>? change = null)
    {
        using var unet = Drawn(XlUNet);
        Write("unet", unet, DiffusersDialect.UNet(unet.Config), "diffusion_pytorch_model", unet.Config.ToDiffusers());
        using var autoencoder = new AutoencoderKl(XlAutoencoder);
        using var generator = new Generator(3);
        Initialization.Fill(autoencoder, 0.1, generator);
        Write("vae", autoencoder, DiffusersDialect.Autoencoder, "diffusion_pytorch_model", XlAutoencoder.ToDiffusers());
        for (var index = 0; index < 2; index++)
        {
            var config = XlText(index);
            using var text = Text(index);
            var suffix = index == 0 ? "" : "_2";
            Write($"text_encoder{suffix}", text, ClipDialect.TextTower[0], "model", new()
            {
                ["model_type"] = "clip_text_model", ["vocab_size"] = config.VocabularySize, ["hidden_size"] = Width, ["num_hidden_layers"] = config.Depth, ["num_attention_heads"] = 1,
                ["intermediate_size"] = config.MlpWidth, ["hidden_act"] = "gelu", ["projection_dim"] = TextSize, ["eos_token_id"] = 2,
            });
            Copy(Path.Combine(StableDiffusion, "tokenizer"), Path.Combine(folder, $"tokenizer{suffix}"));
        }
        // As the second of SDXL is filled.
        File.WriteAllText(Path.Combine(folder, "tokenizer_2", "special_tokens_map.json"), """{"pad_token": "!"}""");
        Copy(Path.Combine(StableDiffusion, "scheduler"), Path.Combine(folder, "scheduler"));
        JsonObject parts = new() { ["_class_name"] = "StableDiffusionXLPipeline", ["force_zeros_for_empty_prompt"] = true };
        foreach (var (part, name) in new[]
        {
            ("unet", "UNet2DConditionModel"), ("vae", "AutoencoderKL"), ("text_encoder", "CLIPTextModel"), ("text_encoder_2", "CLIPTextModelWithProjection"), ("tokenizer", "CLIPTokenizer"),
            ("tokenizer_2", "CLIPTokenizer"), ("scheduler", "DDIMScheduler"),
        })
        {
            parts[part] = new JsonArray("library", name);
        }
        change?.Invoke(parts);
        File.WriteAllText(Path.Combine(folder, "model_index.json"), parts.ToJsonString());

        void Write(string part, nn.Module network, Dialect dialect, string file, JsonObject config)
        {
            Directory.CreateDirectory(Path.Combine(folder, part));
            File.WriteAllText(Path.Combine(folder, part, "config.json"), config.ToJsonString());
            CheckpointLoader.Save(network, dialect, Path.Combine(folder, part, $"{file}.safetensors"));
        }
    }

    /// <summary>The same as a single file with the authors' names.</summary>
    public static void WriteXlFile(string path)
    {
        using var scope = NewDisposeScope();
        using var unet = Drawn(XlUNet);
        using var autoencoder = new AutoencoderKl(XlAutoencoder);
        using var generator = new Generator(3);
        Initialization.Fill(autoencoder, 0.1, generator);
        using var first = Text(0);
        using var second = Text(1);
        SafetensorsWriter.Write(path,
        [
            .. Foreign(unet, LdmDialect.UNet(unet.Config), "model.diffusion_model."), .. Foreign(autoencoder, LdmDialect.Autoencoder(XlAutoencoder), "first_stage_model."),
            .. Foreign(first, ClipDialect.TextTower[0], "conditioner.embedders.0.transformer."), .. Foreign(second, ClipDialect.TextTower[1], "conditioner.embedders.1.model."),
            ("conditioner.embedders.1.model.logit_scale", ones([])),
        ]);
    }

    /// <summary>A network's tensors in a publisher's names.</summary>
    public static IEnumerable<(string Name, Tensor Value)> Foreign(nn.Module network, Dialect dialect, string prefix)
    {
        using var folder = TestFolders.Temporary();
        CheckpointLoader.Save(network, dialect, folder.File("part.safetensors"));
        using var part = Checkpoint.Open(folder.File("part.safetensors"));
        return [.. part.Tensors.Keys.Select(name => (prefix + name, part.Read(name)))];
    }

    private static ClipTextNetwork Text(int index)
    {
        using var generator = new Generator(10 + (ulong)index);
        return new ClipTextNetwork(XlText(index)).Initialize(generator);
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
