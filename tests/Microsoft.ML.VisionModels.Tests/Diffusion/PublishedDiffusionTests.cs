using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

public class PublishedDiffusionTests
{
    // As wide as the groups of 32, which no tensor tells, ask for.
    private static readonly UNetConfig s_unet = new()
    {
        InputChannels = 9, OutputChannels = 4, Channels = [32, 64, 64], Layers = [1, 2, 1], Down = [StageAttention.None, StageAttention.Words, StageAttention.None],
        Up = [StageAttention.None, StageAttention.Words, StageAttention.None], Heads = [1, 1, 1], ContextWidths = [24, 24, 24], Depths = [0, 2, 3], OnlyCrossAttention = [false, false, false],
        LinearProjection = true,
    };

    private static readonly AutoencoderKlConfig s_autoencoder = new() { Channels = [32, 64], Layers = 2, Down = [false, true], Up = [true, false], LatentChannels = 5 };

    private static readonly ClipTextConfig s_text = new()
    {
        VocabularySize = 50, Positions = 8, Width = 64, Depth = 3, Heads = 1, MlpWidth = 48, Activation = Activation.Gelu, EmbeddingSize = 0,
    };

    /// <summary>Stable Diffusion 1 and 2, and XL: the text towers' names tell them apart.</summary>
    [Theory]
    [InlineData("cond_stage_model.transformer.")]
    [InlineData("cond_stage_model.model.")]
    [InlineData("conditioner.embedders.0.transformer.")]
    public void ASingleFileTellsItsConfigurations(string prefix)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var isXL = prefix.StartsWith("conditioner.", StringComparison.Ordinal);
        var config = isXL ? s_unet with { SizeWidth = 256, ProjectionWidth = 40, GuidanceWidth = 12 } : s_unet;
        var isOpenAI = prefix.EndsWith(".model.", StringComparison.Ordinal);
        using var unet = new UNet(config).Drawn(new Generator(1));
        using var autoencoder = Filled(new AutoencoderKl(s_autoencoder));
        // Of the second version's text tower the last block is in the file, and was never used.
        using var text = new ClipTextNetwork(isOpenAI ? s_text with { EmbeddingSize = 10, Depth = 4 } : s_text).Initialize(new Generator(2));
        SafetensorsWriter.Write(folder.File("model.safetensors"),
        [
            .. Foreign(unet, LdmDialect.UNet(config), "model.diffusion_model."),
            .. Foreign(autoencoder, LdmDialect.Autoencoder(s_autoencoder), "first_stage_model."),
            .. Foreign(text, ClipDialect.TextTower[isOpenAI ? 1 : 0], prefix),
            ("model_ema.decay", tensor(0.9f)), ("betas", ones(10)),
        ]);

        var model = PublishedDiffusion.Open(folder.File("model.safetensors"));
        Assert.Equal((1, true, null, null), (model.TextEncoders, model.HasAutoencoder, model.SchedulerConfig, model.Pipeline));
        using var openedUNet = model.OpenUNet();
        Assert.Equal(ModelJson.Write(config with { Depths = [0, 2, 3] }), ModelJson.Write(openedUNet.Config));
        AssertSame(unet, openedUNet);
        using var openedAutoencoder = model.OpenAutoencoder();
        Assert.Equal(ModelJson.Write(s_autoencoder with { ScalingFactor = isXL ? 0.13025 : 0.18215 }), ModelJson.Write(((AutoencoderKl)openedAutoencoder).Config));
        AssertSame(autoencoder, openedAutoencoder);
        using var openedText = model.OpenTextEncoder();
        Assert.Equal(ModelJson.Write(s_text), ModelJson.Write(openedText.Config));
        var ids = TensorAssertIds();
        using var inference = inference_mode();
        TensorAssert.Close(text.Read(ids, skippedBlocks: isOpenAI ? 1 : 0).Tokens, openedText.Read(ids).Tokens);
        Assert.Contains("tokenizer", Assert.Throws<FileNotFoundException>(() => model.OpenTokenizer(s_text)).Message, StringComparison.Ordinal);

        static Tensor TensorAssertIds() => TensorArithmetic.Arange(8).view(1, 8);
    }

    [Theory]
    [InlineData("diffusion_pytorch_model.fp16.safetensors")]
    [InlineData("diffusion_pytorch_model.safetensors.index.fp16.json")]
    [InlineData("diffusion_pytorch_model.safetensors.index.json")]
    public void SixteenBitsAndShardsAreRead(string name)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var unet = new UNet(s_unet).Drawn(new Generator(1));
        File.WriteAllText(folder.File("config.json"), s_unet.ToDiffusers().ToIndentedText());
        var tensors = Foreign(unet, DiffusersDialect.UNet(s_unet), "").Select(tensor => (tensor.Name, tensor.Value.to(float16))).ToArray();
        if (name.EndsWith(".json", StringComparison.Ordinal))
        {
            (string File, (string, Tensor)[] Tensors)[] shards = [("a-00001-of-00002.fp16.safetensors", tensors[..50]), ("a-00002-of-00002.fp16.safetensors", tensors[50..])];
            foreach (var shard in shards)
                SafetensorsWriter.Write(folder.File(shard.File), shard.Tensors);
            var map = shards.SelectMany(shard => shard.Tensors.Select(tensor => (tensor.Item1, shard.File))).ToDictionary();
            File.WriteAllText(folder.File(name), JsonSerializer.Serialize(new { weight_map = map }));
        }
        else
        {
            SafetensorsWriter.Write(folder.File(name), tensors);
        }
        using var opened = new UNetModel().Open(folder.Path).Build();
        Assert.All(unet.state_dict().Zip(opened.state_dict()), pair => TensorAssert.Close(pair.First.Value, pair.Second.Value, 1e-3));
    }

    [Fact]
    public void WhatIsMissingIsNamed()
    {
        using var folder = TestFolders.Temporary();
        Assert.Contains("model_index.json", Assert.Throws<FileNotFoundException>(() => PublishedDiffusion.Open(folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllText(folder.File("model_index.json"), """
            {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "VQModel"], "text_encoder": [null, null],
             "scheduler": ["diffusers", "DDIMScheduler"], "safety_checker": [null, null]}
            """);
        var model = PublishedDiffusion.Open(folder.Path);
        Assert.Equal(("StableDiffusionPipeline", 0), (model.Pipeline, model.TextEncoders));
        Assert.Contains("'unet' (UNet2DConditionModel)", Assert.Throws<FileNotFoundException>(() => model.OpenUNet()).Message, StringComparison.Ordinal);
        Assert.Contains("'scheduler'", Assert.Throws<FileNotFoundException>(() => model.SchedulerConfig).Message, StringComparison.Ordinal);
        Assert.Contains("VQModel", Assert.Throws<CheckpointException>(() => model.OpenAutoencoder()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.OpenTextEncoder());

        SafetensorsWriter.Write(folder.File("other.safetensors"), [("weight", ones(2))]);
        Assert.Contains("model.diffusion_model.", Assert.Throws<CheckpointException>(() => PublishedDiffusion.Open(folder.File("other.safetensors"))).Message, StringComparison.Ordinal);
    }

    /// <summary>The first published models have their network beside model_index.json.</summary>
    [Fact]
    public void TheOnlyNetworkMayLieBesideTheIndex()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var config = new UNetConfig { Channels = [32], Layers = [1], Down = [StageAttention.Places], Up = [StageAttention.None], Heads = [1], Depths = [1], OnlyCrossAttention = [false] };
        using var unet = new UNet(config).Drawn(new Generator(1));
        File.WriteAllText(folder.File("model_index.json"), """{"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"], "scheduler": ["diffusers", "DDPMScheduler"]}""");
        File.WriteAllText(folder.File("scheduler_config.json"), "{}");
        File.WriteAllText(folder.File("config.json"), config.ToDiffusers().ToIndentedText());
        CheckpointLoader.Save(unet, DiffusersDialect.UNet(config), folder.File("diffusion_pytorch_model.safetensors"));
        var model = PublishedDiffusion.Open(folder.Path);
        Assert.False(model.HasAutoencoder);
        Assert.Equal(folder.File("scheduler_config.json"), model.SchedulerConfig);
        using var opened = model.OpenUNet();
        AssertSame(unet, opened);

        using var half = model.OpenUNet(Precision.BFloat16);
        Assert.All(unet.state_dict().Zip(half.state_dict()), pair => Assert.True(pair.First.Value.to(bfloat16).equal(pair.Second.Value).all().item<bool>(), pair.First.Key));
    }

    [Theory]
    [InlineData("""{"content": "!", "special": true}""", "\"<|endoftext|>\"", "!")]
    [InlineData("\"!\"", "\"<|endoftext|>\"", "!")]
    [InlineData("null", "\"!\"", "!")]
    [InlineData("null", "null", "<|endoftext|>")]
    public void PromptsArePaddedAsTheTokenizerSays(string special, string config, string padding)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var tokenizer = Text.TinyVocabulary.Tokenizer();
        tokenizer.SaveFolder(folder.Path);
        File.WriteAllText(folder.File("special_tokens_map.json"), $$"""{"pad_token": {{special}}}""");
        File.WriteAllText(folder.File("tokenizer_config.json"), $$"""{"pad_token": {{config}}, "model_max_length": 6}""");
        var loaded = PromptTokenizer.Load(folder.Path, s_text with { VocabularySize = 100_000 });
        var ids = loaded.Encode("a", "a a a a a a a a a").data<long>().ToArray();
        Assert.Equal(6, loaded.Length);
        long[] first = [tokenizer.StartToken, .. tokenizer.EncodeWord("a").Select(id => (long)id), tokenizer.EndToken];
        Assert.Equal([.. first, .. Enumerable.Repeat((long)tokenizer.IdOf(padding)!.Value, 6 - first.Length)], ids[..6]);
        Assert.Equal(tokenizer.EndToken, ids[^1]);
        Assert.Throws<CheckpointException>(() => PromptTokenizer.Load(folder.Path, s_text));
    }

    private static AutoencoderKl Filled(AutoencoderKl network)
    {
        Initialization.Fill(network, 0.1, new Generator(3));
        return network;
    }

    private static IEnumerable<(string Name, Tensor Value)> Foreign(nn.Module network, Dialect dialect, string prefix)
    {
        using var folder = TestFolders.Temporary();
        CheckpointLoader.Save(network, dialect, folder.File("part.safetensors"));
        using var part = Checkpoint.Open(folder.File("part.safetensors"));
        return [.. part.Tensors.Keys.Select(name => (prefix + name, part.Read(name)))];
    }

    private static void AssertSame(nn.Module expected, nn.Module actual) => Assert.All(expected.state_dict().Zip(actual.state_dict()), pair =>
    {
        Assert.Equal(pair.First.Key, pair.Second.Key);
        Assert.True(pair.First.Value.equal(pair.Second.Value).all().item<bool>(), pair.First.Key);
    });
}
