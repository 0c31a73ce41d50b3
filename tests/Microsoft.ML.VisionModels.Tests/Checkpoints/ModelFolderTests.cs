using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Families.ViT;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

public class ModelFolderTests
{
    [Fact]
    public void ConfigurationAndShardsAreRead()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File("config.json"), """{"hidden_size": 32, "layer_norm_eps": 1e-12, "qkv_bias": false, "hidden_act": "gelu", "pooler": null, "id2label": {"1": "b", "0": "a"}}""");
        SafetensorsWriter.Write(folder.File("model-1.safetensors"), [("a", ones(2)), ("b", ones(3).Mul(2))]);
        SafetensorsWriter.Write(folder.File("model-2.safetensors"), [("c", ones(4).Mul(3))]);
        File.WriteAllText(folder.File("model.safetensors.index.json"), """{"metadata": {"total_size": 36}, "weight_map": {"c": "model-2.safetensors", "a": "model-1.safetensors", "b": "model-1.safetensors"}}""");

        var model = ModelFolder.Open(folder.Path);
        using var weights = model.OpenWeights();

        var config = model.Config!.Value;
        Assert.Null(model.ReadPreprocessing("vit"));
        Assert.Equal(32, config.Get("hidden_size", 768));
        Assert.Equal(12, config.Get("num_hidden_layers", 12));
        Assert.Equal(1e-12, config.Get("layer_norm_eps", 1e-6));
        Assert.False(config.Get("qkv_bias", true));
        Assert.Equal("gelu", config.Get("hidden_act", "relu"));
        Assert.Equal("tanh", config.Get("pooler", "tanh"));
        Assert.Equal(["a", "b"], config.Labels()!);
        Assert.Equal(["a", "b", "c"], weights.Tensors.Keys.Order());
        Assert.Equal([3f, 3f, 3f, 3f], weights.Read("c").data<float>().ToArray());
    }

    [Fact]
    public void AWrongEntryIsNamed()
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File("config.json"), """{"hidden_size": "large", "id2label": {"0": "a", "7": "b"}}""");
        var model = ModelFolder.Open(folder.Path);
        var config = model.Config!.Value;

        Assert.Contains("hidden_size", Assert.Throws<CheckpointException>(() => config.Get("hidden_size", 1)).Message);
        Assert.Contains("id2label", Assert.Throws<CheckpointException>(() => config.Labels()).Message);
        Assert.Contains(folder.Path, Assert.Throws<CheckpointException>(() => model.ReadConfig(JsonConfig.Labels)).Message);
        Assert.Contains("model.safetensors", Assert.Throws<FileNotFoundException>(() => model.OpenWeights()).Message);
    }

    [Fact]
    public void AFolderThatPreparesImagesInAnUnknownWayIsNamed()
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File("config.json"), "{}");
        File.WriteAllText(folder.File("preprocessor_config.json"), """{"image_processor_type": "CLIPImageProcessor", "size": "large"}""");
        var message = Assert.Throws<CheckpointException>(() => ModelFolder.Open(folder.Path).ReadPreprocessing("clip")).Message;
        Assert.Contains(folder.Path, message);
        Assert.Contains("'size'", message);
    }

    [Theory]
    [InlineData("config.json", "ViT")]
    [InlineData("config.json", "Swin")]
    [InlineData("open_clip_config.json", "CLIP")]
    public void AFolderWithoutConfigurationIsNamed(string file, string family)
    {
        using var folder = TestFolders.Temporary();
        SafetensorsWriter.Write(folder.File("model.safetensors"), [("a", ones(2))]);
        Action open = family switch
        {
            "ViT" => () => new ViTModel(ViTPreset.Tiny16).Open(folder.Path),
            "Swin" => () => new SwinModel(SwinPreset.Tiny).Open(folder.Path),
            _ => () => new ClipModel().Open(folder.Path),
        };
        Assert.Contains(file, Assert.Throws<FileNotFoundException>(open).Message);
        Assert.Null(ModelFolder.Open(folder.Path).Config);
    }
}
