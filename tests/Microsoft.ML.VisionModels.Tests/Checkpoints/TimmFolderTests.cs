using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

/// <summary>Folders as timm publishes them: its own config.json, and tensors in its names.</summary>
public class TimmFolderTests
{
    private const string ConfigFile = "config.json";

    /// <summary>Golden networks as timm would have made them: an architecture, and arguments for what is tiny.</summary>
    private static readonly Dictionary<string, (string Architecture, string Arguments)> s_networks = new()
    {
        ["vit-classifier"] = ("vit_tiny_patch16_224", """{"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 3, "num_heads": 4, "mlp_ratio": 2}"""),
        ["deit"] = ("deit_small_distilled_patch16_224", """{"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 3, "num_heads": 4, "mlp_ratio": 2.0}"""),
        ["swin-classifier"] = ("swin_tiny_patch4_window7_224", """{"img_size": [64, 64], "window_size": 4, "embed_dim": 16, "depths": [2, 2, 2], "num_heads": [2, 4, 8], "mlp_ratio": 2, "drop_path_rate": 0.2}"""),
        ["swinv2-classifier"] = ("swinv2_base_window8_256", """{"img_size": 64, "window_size": [4, 4], "embed_dim": 16, "depths": [2, 2, 2], "num_heads": [2, 4, 8], "mlp_ratio": 2}"""),
    };

    public static TheoryData<string> Networks => [.. s_networks.Keys];

    [Theory, MemberData(nameof(Networks))]
    public void TheNetworkAndThePreprocessingAreTimms(string name)
    {
        using var folder = new PublishedFolder(name);
        var (config, labels, _) = folder.Open();
        var side = name.StartsWith("swin", StringComparison.Ordinal) ? 64 : 32;
        var expected = new ImagePreprocessing
        {
            Resize = new ImageResize.ShortestEdge(side == 64 ? 71 : 35),      // side / 0.9, rounded down
            Filter = ResizeFilter.Bicubic,
            CenterCrop = side,
            TorchvisionCrop = true,
            Normalization = new((0.5f, 0.4f, 0.3f), (0.2f, 0.3f, 0.4f)),
        };
        // timm's norms in a Vision Transformer differ from Hugging Face's.
        if (side == 32)
            folder.Change(ConfigFile, json => json["layer_norm_eps"] = 1e-6);
        var scores = folder.Scores(expected);

        MakeTimms(folder, name, side);
        Assert.Equal(scores, folder.Scores());
        var timm = folder.Open();
        Assert.Equal(expected, timm.Preprocessing);
        Assert.Equal(labels, timm.Labels);
        Assert.Equal(side == 32 ? config.Replace("1E-12", "1E-06", StringComparison.Ordinal) : config, timm.Config);
        Assert.Empty(folder.Notices);

        // As older releases of timm wrote it, and as Hugging Face's library writes a network of timm.
        var json = folder.Read(ConfigFile);
        foreach (var (key, value) in json["pretrained_cfg"]!.AsObject())
            json.TryAdd(key, value?.DeepClone());
        json.Remove("pretrained_cfg");
        json["model_type"] = "timm_wrapper";
        folder.Write(ConfigFile, json);
        Assert.Equal((timm.Config, timm.Preprocessing), (folder.Open().Config, folder.Open().Preprocessing));
    }

    [Theory]
    [InlineData("""{"crop_pct": 1.0}""", "ShortestEdge { Length = 32 }")]
    [InlineData("""{"crop_pct": null, "crop_mode": "squash", "interpolation": "lanczos"}""", "Exact { Height = 36, Width = 36 }")]
    [InlineData("""{"crop_mode": "border"}""", "crop_mode 'border'")]
    [InlineData("""{"interpolation": "random"}""", "interpolation 'random'")]
    [InlineData("""{"interpolation": 3}""", "'interpolation'")]
    [InlineData("""{"mean": [0.5]}""", "'mean'")]
    [InlineData("""{"std": [0.5, 0, 0.5]}""", "Normalization")]
    [InlineData("""{"input_size": [3, 32]}""", "'input_size'")]
    [InlineData("""{"crop_pct": -1}""", "'crop_pct'")]
    public void EachWayOfPreparingImagesIsReadOrNamed(string settings, string expected)
    {
        using var folder = new PublishedFolder("vit-classifier");
        MakeTimms(folder, "vit-classifier", 32);
        folder.Change(ConfigFile, json =>
        {
            foreach (var (key, value) in JsonNode.Parse(settings)!.AsObject())
                json["pretrained_cfg"]![key] = value?.DeepClone();
        });
        if (expected.Contains('{', StringComparison.Ordinal))
        {
            Assert.Equal(expected, folder.Open().Preprocessing.Resize!.ToString());
            return;
        }
        var error = Assert.Throws<CheckpointException>(() => folder.Open());
        Assert.Contains(expected, error.Message);
        Assert.Contains(folder.File(ConfigFile), error.Message);
    }

    [Theory]
    [InlineData("vit-classifier", "vit_base_patch16_clip_224")]
    [InlineData("vit-classifier", "swin_tiny_patch4_window7_224")]
    [InlineData("vit-classifier", "vit_giant_patch14_224")]
    [InlineData("dinov2-classifier", "vit_small_patch14_reg4_dinov2.lvd142m")]
    [InlineData("deit", "deit3_small_patch16_224")]
    [InlineData("swin-classifier", "swin_s3_tiny_224")]
    [InlineData("swinv2-classifier", "swinv2_cr_tiny_224")]
    [InlineData("clip", "vit_tiny_patch16_224")]
    [InlineData("siglip", "vit_tiny_patch16_224")]
    [InlineData("sam", "vit_tiny_patch16_224")]
    public void AnArchitectureThatIsNotReadIsNamed(string name, string architecture)
    {
        using var folder = new PublishedFolder(name);
        folder.Write(ConfigFile, new JsonObject { ["architecture"] = architecture, ["pretrained_cfg"] = new JsonObject() });
        var error = Assert.Throws<CheckpointException>(() => folder.Open());
        Assert.Contains(architecture, error.Message);
        Assert.Contains(folder.File(ConfigFile), error.Message);
    }

    [Theory, MemberData(nameof(Networks))]
    public void AnArgumentThatIsNotReadIsNamed(string name)
    {
        using var folder = new PublishedFolder(name);
        MakeTimms(folder, name, 32);
        folder.Change(ConfigFile, json => json["model_args"]!["init_values"] = 1e-5);
        Assert.Contains("init_values", Assert.Throws<CheckpointException>(() => folder.Open()).Message);
    }

    [Fact]
    public void DescriptionsNameClassesThatAreCodes()
    {
        using var folder = new PublishedFolder("vit-classifier");
        MakeTimms(folder, "vit-classifier", 32);
        folder.Change(ConfigFile, json =>
        {
            json["label_names"] = JsonNode.Parse("""{"1": "n01", "0": "n00", "2": "n02", "3": "n03", "4": 4}""");
            json["label_descriptions"] = JsonNode.Parse("""{"n00": "tench, Tinca tinca", "n02": "great white shark"}""");
        });
        Assert.Equal(["tench, Tinca tinca", "n01", "great white shark", "n03", "4"], folder.Open().Labels!);
    }

    /// <summary>Sizes of the official checkpoints by their architectures' names (arXiv 2010.11929, 2012.12877, 2103.14030, 2111.09883).</summary>
    [Theory]
    [InlineData("vit_base_patch32_384", 768, 12, 12, 32)]
    [InlineData("vit_large_patch14_224", 1024, 24, 16, 14)]
    [InlineData("vit_base_patch16_224_in21k", 768, 12, 12, 16)]
    [InlineData("deit_tiny_patch16_224", 192, 12, 3, 16)]
    [InlineData("vit_small_patch8_224.dino", 384, 12, 6, 8)]
    [InlineData("vit_base_patch16_224.mae", 768, 12, 12, 16)]
    [InlineData("vit_small_patch14_dinov2.lvd142m", 384, 12, 6, 14)]
    public void ANameTellsTheSizesOfAVisionTransformer(string architecture, int width, int depth, int heads, int patch)
    {
        var config = ViTTimm.Read(Timm(architecture));
        Assert.Equal((width, depth, heads, 4 * width, (ImageSize)patch, 1e-6), (config.Width, config.Depth, config.Heads, config.MlpWidth, config.PatchSize, config.NormEps));
    }

    /// <summary>DINOv2's largest has a SwiGLU, of which timm's ratio counts both halves.</summary>
    [Fact]
    public void ANameTellsThatANetworkIsOfDinoV2()
    {
        var expected = ViTConfig.Of(ViTPreset.Giant14) with { Interpolation = PositionInterpolation.AntialiasedSize };
        Assert.Equal(expected, ViTTimm.Read(Timm("vit_giant_patch14_dinov2.lvd142m")));
        Assert.Equal((1e-5, PositionInterpolation.AntialiasedSize), (ViTTimm.Read(Timm("vit_large_patch14_dinov2.lvd142m")) is var large ? (large.LayerScale, large.Interpolation) : default));
    }

    [Theory]
    [InlineData("swin_large_patch4_window12_384", 192, 18, 12, "")]
    [InlineData("swin_base_patch4_window7_224_in22k", 128, 18, 7, "")]
    [InlineData("swinv2_small_window16_256", 96, 18, 16, "0, 0, 0, 0")]
    [InlineData("swinv2_base_window12to24_192to384_22kft1k", 128, 18, 24, "12, 12, 12, 6")]
    public void ANameTellsTheSizesOfASwinTransformer(string architecture, int width, int depth, int window, string pretrained)
    {
        var config = SwinTimm.Read(Timm(architecture));
        Assert.Equal((width, depth, window, pretrained, 1e-5), (config.Width, config.Depths[2], config.WindowSize, string.Join(", ", config.PretrainedWindows), config.NormEps));
    }

    private static TimmConfig Timm(string architecture) => TimmConfig.Of(JsonSerializer.SerializeToElement(new { architecture }))!;

    private static void MakeTimms(PublishedFolder folder, string name, int side)
    {
        var labels = folder.Read(ConfigFile)["id2label"]!.AsObject().OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value!.DeepClone());
        var (architecture, arguments) = s_networks[name];
        if (name.StartsWith("swin", StringComparison.Ordinal))
        {
            using var network = new SwinModel(default).Open(folder.Path).Build();
            CheckpointLoader.Save(network, SwinDialect.Timm(network.Config), folder.File("timm.safetensors"));
        }
        else
        {
            using var network = new ViTModel(default).Open(folder.Path).Build();
            CheckpointLoader.Save(network, ViTDialect.Timm, folder.File("timm.safetensors"));
        }
        File.Move(folder.File("timm.safetensors"), folder.File("model.safetensors"), overwrite: true);
        folder.Delete("preprocessor_config.json");
        folder.Write(ConfigFile, new JsonObject
        {
            ["architecture"] = architecture,
            ["num_classes"] = 5,
            ["global_pool"] = "token",
            ["label_names"] = new JsonArray([.. labels]),
            ["model_args"] = JsonNode.Parse(arguments),
            ["pretrained_cfg"] = JsonNode.Parse($$"""
                {"tag": "tiny", "input_size": [3, {{side}}, {{side}}], "fixed_input_size": true, "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center",
                 "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "pool_size": null, "first_conv": "patch_embed.proj", "classifier": "head"}
                """),
        });
    }
}
