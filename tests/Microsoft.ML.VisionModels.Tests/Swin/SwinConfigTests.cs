using System.Text.Json;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Tests.Swin;

public class SwinConfigTests
{
    [Fact]
    public void MissingKeysMeanTheLibrarysDefaults()
    {
        AssertEqual(new SwinConfig { DropPath = 0.1 }, Read("{}"));
        AssertEqual(new SwinConfig { DropPath = 0.1, Classes = 2 }, Read("""{ "architectures": ["SwinForImageClassification"] }"""));
        AssertEqual(new SwinConfig { DropPath = 0.1, Version = SwinVersion.V2, PretrainedWindows = [0, 0, 0, 0] }, Read("""{ "model_type": "swinv2" }"""));
        AssertEqual(new SwinConfig { DropPath = 0.1, AlwaysPartition = true, FinalNorm = false, FeatureNames = ["stage4"] }, Read("""{ "architectures": ["SwinBackbone"] }"""));
    }

    [Fact]
    public void EveryKeyIsRead()
    {
        var config = Read("""
            {
              "model_type": "swinv2", "architectures": ["Swinv2ForImageClassification"], "image_size": [32, 48], "patch_size": [2, 4], "num_channels": 1,
              "embed_dim": 24, "depths": [1, 2, 3], "num_heads": [3, 6, 6], "window_size": 5, "pretrained_window_sizes": [4, 4, 2, 0], "mlp_ratio": 2.5,
              "hidden_act": "quick_gelu", "layer_norm_eps": 1e-6, "qkv_bias": false, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.2,
              "drop_path_rate": 0.3, "id2label": { "1": "b", "0": "a", "2": "c" }
            }
            """);
        var expected = new SwinConfig
        {
            Version = SwinVersion.V2, ImageSize = new(32, 48), PatchSize = new(2, 4), Channels = 1, Width = 24, Depths = [1, 2, 3], Heads = [3, 6, 6], WindowSize = 5,
            PretrainedWindows = [4, 4, 2], MlpRatio = 2.5, Activation = Activation.QuickGelu, NormEps = 1e-6, QkvBias = false, Dropout = 0.1, AttentionDropout = 0.2,
            DropPath = 0.3, Classes = 3,
        };
        AssertEqual(expected, config);
        AssertEqual(expected, Read(config.ToHuggingFace(["a", "b", "c"]).ToJsonString()));
        Assert.Equal(new ImageSize(4, 3), config.GridOf(2));
        Assert.Equal((0.0, 0.3), (config.DropPathOf(0), config.DropPathOf(5)));
        Assert.Equal(60, config.StageConfig(0).MlpWidth);
    }

    [Theory]
    [InlineData("""{ "architectures": ["SwinBackbone"], "out_features": ["stem", "stage2"] }""", "stem", "stage2")]
    [InlineData("""{ "architectures": ["SwinBackbone"], "out_indices": [1, -1] }""", "stage1", "stage4")]
    public void ABackboneNamesItsFeatureMaps(string json, params string[] names)
    {
        var config = Read(json);
        Assert.Equal(names, config.FeatureNames);
        AssertEqual(config, Read(config.ToHuggingFace(null).ToJsonString()));
    }

    [Fact]
    public void TheCheckpointTellsOfABackbone()
    {
        using var document = JsonDocument.Parse("{}");
        Assert.True(SwinConfig.FromHuggingFace(document.RootElement, Tensors("hidden_states_norms.stage4.weight")).AlwaysPartition);
        Assert.False(SwinConfig.FromHuggingFace(document.RootElement, Tensors("layernorm.weight")).AlwaysPartition);
    }

    [Fact]
    public void WindowsShrinkByTheRulesOfEachVersion()
    {
        var v1 = new SwinConfig { WindowSize = 7 };
        Assert.Equal(new WindowGrid(14, 14, 7, 3), v1.Windows(2, 14, 14, shifted: true));
        Assert.Equal(new WindowGrid(7, 7, 7, 0), v1.Windows(3, 7, 7, shifted: true));
        Assert.Equal(new WindowGrid(5, 9, 5, 0), v1.Windows(3, 5, 9, shifted: true));
        Assert.Equal(new WindowGrid(7, 7, 7, 3), (v1 with { AlwaysPartition = true }).Windows(3, 7, 7, shifted: true));

        // From the size in the configuration, whatever comes in.
        var v2 = new SwinConfig { Version = SwinVersion.V2, ImageSize = 256, WindowSize = 16 };
        Assert.Equal(new WindowGrid(5, 9, 16, 8), v2.Windows(1, 5, 9, shifted: true));
        Assert.Equal(new WindowGrid(30, 30, 16, 0), v2.Windows(2, 30, 30, shifted: true));
        Assert.Equal(new WindowGrid(30, 30, 8, 0), v2.Windows(3, 30, 30, shifted: true));
    }

    [Theory]
    [InlineData("""{ "model_type": "vit" }""", "vit")]
    [InlineData("""{ "embed_dim": "wide" }""", "embed_dim")]
    [InlineData("""{ "depths": [1, "two"] }""", "depths")]
    [InlineData("""{ "num_heads": 3 }""", "num_heads")]
    [InlineData("""{ "architectures": ["SwinBackbone"], "out_features": [1] }""", "out_features")]
    [InlineData("""{ "use_absolute_embeddings": true }""", "use_absolute_embeddings")]
    public void WhatCannotBeUsedIsNamed(string json, string named)
    {
        Assert.Contains(named, Assert.Throws<CheckpointException>(() => Read(json)).Message);
    }

    [Fact]
    public void LabelsAreOneAClass()
    {
        Assert.Contains("3 labels", Assert.Throws<ArgumentException>(() => new SwinConfig { Classes = 2 }.ToHuggingFace(["a", "b", "c"])).Message);
    }

    private static Dictionary<string, TensorInfo> Tensors(params string[] names) => names.ToDictionary(name => name, name => new TensorInfo(name, TorchSharp.torch.ScalarType.Float32, [8, 8]));

    private static SwinConfig Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return SwinConfig.FromHuggingFace(document.RootElement);
    }

    private static void AssertEqual(SwinConfig expected, SwinConfig actual) => Assert.Equal(ModelJson.Write(expected), ModelJson.Write(actual));
}
