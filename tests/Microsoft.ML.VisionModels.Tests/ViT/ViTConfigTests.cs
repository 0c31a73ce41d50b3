using System.Text.Json;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Tests.ViT;

public class ViTConfigTests
{
    [Fact]
    public void MissingKeysMeanTheLibrarysDefaults()
    {
        Assert.Equal(new ViTConfig { NormEps = 1e-12, Pooler = true }, Read("{}"));
        Assert.Equal(new ViTConfig { NormEps = 1e-12, Classes = 2 }, Read("""{ "architectures": ["ViTForImageClassification"] }"""));
    }

    [Fact]
    public void EveryKeyIsRead()
    {
        var config = Read("""
            {
              "model_type": "vit", "architectures": ["ViTForImageClassification"], "image_size": [32, 48], "patch_size": [8, 4], "num_channels": 1,
              "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5,
              "qkv_bias": false, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.2, "id2label": { "1": "b", "0": "a", "2": "c" }
            }
            """);
        var expected = new ViTConfig
        {
            ImageSize = new(32, 48), PatchSize = new(8, 4), Channels = 1, Width = 24, Depth = 2, Heads = 3, MlpWidth = 40, Activation = Activation.QuickGelu, NormEps = 1e-5,
            QkvBias = false, Dropout = 0.1, AttentionDropout = 0.2, Classes = 3,
        };
        Assert.Equal(expected, config);
        Assert.Equal(new ImageSize(4, 12), config.Grid);
        Assert.Equal(expected, Read(config.ToHuggingFace(["a", "b", "c"]).ToJsonString()));
    }

    [Theory]
    [InlineData("DeiTForImageClassification", false)]
    [InlineData("DeiTForImageClassificationWithTeacher", true)]
    public void DeiTHasTwoTokensAndMayHaveTwoHeads(string architecture, bool twoHeads)
    {
        var config = Read($$"""{ "model_type": "deit", "architectures": ["{{architecture}}"] }""");
        Assert.True(config.DistillationToken);
        Assert.Equal(twoHeads, config.DistillationHead);
        Assert.Equal(architecture, config.ToHuggingFace(["a", "b"])["architectures"]![0]!.GetValue<string>());
    }

    /// <summary>As the library's configuration classes have them.</summary>
    [Fact]
    public void MissingKeysOfSelfSupervisedNetworksMeanTheLibrarysDefaults()
    {
        var dinoV2 = new ViTConfig { LayerScale = 1, Interpolation = PositionInterpolation.Size };
        Assert.Equal(dinoV2, Read("""{ "model_type": "dinov2" }"""));
        Assert.Equal(dinoV2 with { RegisterTokens = 4, Interpolation = PositionInterpolation.AntialiasedSize }, Read("""{ "architectures": ["Dinov2WithRegistersModel"] }"""));
        Assert.Equal(new ViTConfig { NormEps = 1e-12 }, Read("""{ "architectures": ["ViTMAEForPreTraining"] }"""));
    }

    [Fact]
    public void EveryKeyOfDinoV2IsReadAndWritten()
    {
        var config = Read("""
            {
              "model_type": "dinov2_with_registers", "architectures": ["Dinov2WithRegistersForImageClassification"], "image_size": 28, "patch_size": 14, "hidden_size": 20, "num_hidden_layers": 2,
              "num_attention_heads": 2, "mlp_ratio": 4, "use_swiglu_ffn": true, "hidden_act": "gelu", "layer_norm_eps": 1e-5, "qkv_bias": false, "layerscale_value": 0.5, "drop_path_rate": 0.1,
              "num_register_tokens": 3, "id2label": { "0": "a", "1": "b" }
            }
            """);
        var expected = new ViTConfig
        {
            ImageSize = 28, PatchSize = 14, Width = 20, Depth = 2, Heads = 2, MlpWidth = 56, Activation = Activation.SwiGlu, NormEps = 1e-5, QkvBias = false, LayerScale = 0.5, DropPath = 0.1,
            RegisterTokens = 3, Interpolation = PositionInterpolation.AntialiasedSize, Classes = 2, Pooling = ViTPooling.ClassAndMean,
        };
        Assert.Equal(expected, config);
        Assert.Equal(expected, Read(config.ToHuggingFace(["a", "b"]).ToJsonString()));

        // An MLP of any width has a ratio, though few have a whole number.
        for (var mlpWidth = 1; mlpWidth < 200; mlpWidth++)
        {
            var plain = expected with { Activation = Activation.Gelu, MlpWidth = mlpWidth };
            Assert.Equal(plain, Read(plain.ToHuggingFace(["a", "b"]).ToJsonString()));
        }
    }

    [Fact]
    public void TheCheckpointTellsWhetherThereIsAPooler()
    {
        using var document = JsonDocument.Parse("{}");
        Assert.False(ViTConfig.FromHuggingFace(document.RootElement, Tensors("layernorm.weight")).Pooler);
        Assert.True(ViTConfig.FromHuggingFace(document.RootElement, Tensors("vit.pooler.dense.weight")).Pooler);
    }

    [Theory]
    [InlineData("""{ "model_type": "swin" }""", "swin")]
    [InlineData("""{ "hidden_size": "wide" }""", "hidden_size")]
    [InlineData("""{ "image_size": [1, 2, 3] }""", "image_size")]
    [InlineData("""{ "hidden_act": "gelu_squared" }""", "gelu_squared")]
    public void WhatCannotBeUsedIsNamed(string json, string named)
    {
        Assert.Contains(named, Assert.Throws<CheckpointException>(() => Read(json)).Message);
    }

    [Fact]
    public void WhatHuggingFaceDoesNotKnowIsNotWritten()
    {
        Assert.Throws<InvalidOperationException>(() => new ViTConfig { EmbeddingNorm = true }.ToHuggingFace(null));
        Assert.Throws<InvalidOperationException>(() => new ViTConfig { RegisterTokens = 4 }.ToHuggingFace(null));
        Assert.Throws<InvalidOperationException>(() => new ViTConfig { LayerScale = 1, Classes = 1 }.ToHuggingFace(["a"]));
        Assert.Contains("multiple of 8", Assert.Throws<InvalidOperationException>(() => new ViTConfig { LayerScale = 1, Activation = Activation.SwiGlu, MlpWidth = 2049 }.ToHuggingFace(null)).Message);
        Assert.Contains("3 labels", Assert.Throws<ArgumentException>(() => new ViTConfig { Classes = 2 }.ToHuggingFace(["a", "b", "c"])).Message);
    }

    private static Dictionary<string, TensorInfo> Tensors(params string[] names) => names.ToDictionary(name => name, name => new TensorInfo(name, TorchSharp.torch.ScalarType.Float32, [8, 8]));

    private static ViTConfig Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return ViTConfig.FromHuggingFace(document.RootElement);
    }
}
