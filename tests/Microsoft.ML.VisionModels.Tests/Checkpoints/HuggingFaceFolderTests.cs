using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

public class HuggingFaceFolderTests
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

        var model = HuggingFaceFolder.Open(folder.Path);
        using var weights = model.OpenWeights();

        Assert.Null(model.Preprocessing);
        Assert.Equal(32, model.Config.Get("hidden_size", 768));
        Assert.Equal(12, model.Config.Get("num_hidden_layers", 12));
        Assert.Equal(1e-12, model.Config.Get("layer_norm_eps", 1e-6));
        Assert.False(model.Config.Get("qkv_bias", true));
        Assert.Equal("gelu", model.Config.Get("hidden_act", "relu"));
        Assert.Equal("tanh", model.Config.Get("pooler", "tanh"));
        Assert.Equal(["a", "b"], model.Config.Labels()!);
        Assert.Equal(["a", "b", "c"], weights.Tensors.Keys.Order());
        Assert.Equal([3f, 3f, 3f, 3f], weights.Read("c").data<float>().ToArray());
    }

    [Fact]
    public void AWrongEntryIsNamed()
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File("config.json"), """{"hidden_size": "large", "id2label": {"0": "a", "7": "b"}}""");
        var model = HuggingFaceFolder.Open(folder.Path);

        Assert.Contains("hidden_size", Assert.Throws<CheckpointException>(() => model.Config.Get("hidden_size", 1)).Message);
        Assert.Contains("id2label", Assert.Throws<CheckpointException>(() => model.Config.Labels()).Message);
        Assert.Contains(folder.Path, Assert.Throws<CheckpointException>(() => model.Read(JsonConfig.Labels)).Message);
        Assert.Contains("model.safetensors", Assert.Throws<FileNotFoundException>(() => model.OpenWeights()).Message);
    }

    [Fact]
    public void AFolderThatPreparesImagesInAnUnknownWayIsNamed()
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File("config.json"), "{}");
        File.WriteAllText(folder.File("preprocessor_config.json"), """{"image_processor_type": "CLIPImageProcessor", "size": "large"}""");
        var message = Assert.Throws<CheckpointException>(() => HuggingFaceFolder.Open(folder.Path).Preprocessing).Message;
        Assert.Contains(folder.Path, message);
        Assert.Contains("'size'", message);
    }

    [Fact]
    public void AFolderWithoutConfigurationIsNamed()
    {
        using var folder = TestFolders.Temporary();
        Assert.Contains("config.json", Assert.Throws<FileNotFoundException>(() => HuggingFaceFolder.Open(folder.Path)).Message);
    }
}
