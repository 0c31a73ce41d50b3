using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.ResNet;

/// <summary>The three publishers' files.</summary>
public class ResNetCheckpointTests
{
    private static readonly string[] s_labels = ["cat", "dog", "owl"];

    public static TheoryData<string> Networks => ["basic", "bottleneck", "small", "first", "paper"];

    private static ResNetConfig Config(string network) => network switch
    {
        "basic" => ResNetConfig.Of(ResNetBlockKind.Basic, [2, 1, 1, 2], width: 4),
        "bottleneck" => ResNetConfig.Of(ResNetBlockKind.Bottleneck, [1, 2, 1, 1], width: 4),
        "small" => ResNetNetworkTests.Tiny,
        "first" => ResNetConfig.Of(ResNetBlockKind.Basic, [1, 1, 1, 1], width: 4) with { DownsampleInFirstStage = true, Widths = [4, 12, 20, 24] },
        _ => ResNetConfig.Of(ResNetBlockKind.Bottleneck, [1, 1, 1, 1], width: 4) with { DownsampleInBottleneck = true },
    };

    [Theory, MemberData(nameof(Networks))]
    public void AFolderIsReadAsItWasWritten(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var folder = TestFolders.Temporary();
        foreach (var labels in (string[]?[])[s_labels, null])
        {
            using var network = Random(Config(name) with { Classes = labels?.Length });
            new ResNetModel().Save(network, labels, ImagePreprocessing.ExactSize(16, 16), folder.Path);
            var opened = new ResNetModel().Open(folder.Path);
            using var read = opened.Build();
            Assert.Equal(ModelJson.Write(network.Config), ModelJson.Write(opened.Config));
            Assert.Equal(labels, opened.Labels);
            var pixels = randn([2, 3, 32, 32], generator: new Generator(2));
            Assert.True(network.Features(pixels).equal(read.Features(pixels)).all().item<bool>());
        }
    }

    /// <summary>As the library writes them: a counter for each norm beside its numbers.</summary>
    [Theory, MemberData(nameof(Networks))]
    public void AFolderHasTheLibrarysTensors(string name)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var network = Random(Config(name) with { Classes = 3 });
        new ResNetModel().Save(network, s_labels, ImagePreprocessing.ExactSize(16, 16), folder.Path);
        using var file = Checkpoint.Open(folder.File("model.safetensors"));
        Assert.Equal(
            file.Tensors.Keys.Where(tensor => tensor.EndsWith(".running_var", StringComparison.Ordinal)).Select(tensor => tensor.Replace(".running_var", ".num_batches_tracked", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            file.Tensors.Keys.Where(tensor => tensor.EndsWith(".num_batches_tracked", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.All(file.Tensors.Keys, tensor => Assert.Matches(@"^(resnet\.(embedder\.embedder|encoder\.stages\.\d\.layers\.\d\.(layer\.\d|shortcut))\.(convolution\.weight|normalization\.(weight|bias|running_mean|running_var|num_batches_tracked))|classifier\.1\.(weight|bias))$", tensor));
    }

    [Fact]
    public void ReadsAndWritesThePublishedConfig()
    {
        // microsoft/resnet-18, without the entries that are of its library alone.
        using var document = JsonDocument.Parse("""
            {"architectures": ["ResNetForImageClassification"], "depths": [2, 2, 2, 2], "downsample_in_first_stage": false, "embedding_size": 64, "hidden_act": "relu",
             "hidden_sizes": [64, 128, 256, 512], "id2label": {"0": "cat", "1": "dog", "2": "owl"}, "label2id": {"cat": 0, "dog": 1, "owl": 2},
             "layer_type": "basic", "model_type": "resnet", "num_channels": 3, "torch_dtype": "float32"}
            """);
        var config = ResNetConfig.FromHuggingFace(document.RootElement);
        Assert.Equal(ModelJson.Write(ResNetConfig.Of(ResNetPreset.ResNet18) with { Classes = 3 }), ModelJson.Write(config));
        var written = JsonSerializer.SerializeToElement(config.ToHuggingFace(s_labels));
        Assert.All(document.RootElement.EnumerateObject(), entry => Assert.True(JsonElement.DeepEquals(entry.Value, written.GetProperty(entry.Name)), entry.Name));

        using var defaults = JsonDocument.Parse("""{"model_type": "resnet"}""");
        Assert.Equal(ModelJson.Write(ResNetConfig.Of(ResNetPreset.ResNet50)), ModelJson.Write(ResNetConfig.FromHuggingFace(defaults.RootElement)));
    }

    /// <summary>Names tell the rest: what self-supervised methods save has prefixes, and no head.</summary>
    [Theory]
    [InlineData("basic", "")]
    [InlineData("bottleneck", "module.encoder.")]
    [InlineData("small", "backbone.")]
    public void ABareFileTellsItsNetwork(string name, string prefix)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var network = Random(Config(name));
        SafetensorsWriter.Write(folder.File("model.safetensors"), [.. network.state_dict().Select(entry => (prefix + entry.Key, entry.Value.detach()))]);
        var opened = new ResNetModel().Open(folder.File("model.safetensors"));
        var expected = Config(name) with { ImageSize = Config(name).SmallStem ? 32 : 224 };
        Assert.Equal(ModelJson.Write(expected), ModelJson.Write(opened.Config));
        using var read = opened.Build();
    }

    [Fact]
    public void AFolderOfTimmsTellsNetworkAndPreprocessing()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var network = Random(Config("basic") with { Classes = 3 });
        CheckpointLoader.Save(network, ResNetDialect.Torchvision, folder.File("model.safetensors"));
        File.WriteAllText(folder.File("config.json"), """
            {"architecture": "resnet18", "num_classes": 3, "label_names": ["cat", "dog", "owl"],
             "pretrained_cfg": {"input_size": [3, 64, 64], "interpolation": "bilinear", "crop_pct": 0.5, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}
            """);
        var opened = new ResNetModel().Open(folder.Path);
        Assert.Equal(ModelJson.Write(network.Config with { ImageSize = 64 }), ModelJson.Write(opened.Config));
        Assert.Equal(s_labels, opened.Labels);
        var preprocessing = opened.Preprocessing(null, 64);
        Assert.Equal((new ImageResize.ShortestEdge(128), new ImageSize(64, 64), ResizeFilter.Bilinear), (preprocessing.Resize, preprocessing.CenterCrop, preprocessing.Filter));

        File.WriteAllText(folder.File("config.json"), """{"architecture": "resnet18d"}""");
        Assert.Contains("resnet18d", Assert.Throws<CheckpointException>(() => new ResNetModel().Open(folder.Path)).Message, StringComparison.Ordinal);
    }

    /// <summary>torchvision's files say nothing of images; what is assumed is said in the log, and can be chosen.</summary>
    [Fact]
    public void ABareFileIsPreparedAsTorchvisionsAre()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var network = Random(Config("basic") with { Classes = 3 });
        CheckpointLoader.Save(network, ResNetDialect.Torchvision, folder.File("resnet.safetensors"));
        var log = new List<string>();
        var context = new MLContext(1);
        context.Log += (_, line) => log.Add(line.Message);
        var options = new ResNetClassifierOptions { Checkpoint = folder.File("resnet.safetensors"), TrainedParts = TrainedParts.None, Labels = s_labels };
        using var model = context.Transforms.ResNetClassifier(options).Fit(Contract.ContractData.Images(context, 3));
        var preprocessing = model.Model.Processor!.Settings;
        Assert.Equal((new ImageResize.ShortestEdge(256), new ImageSize(224, 224), ResizeFilter.Bilinear, true, ImageNormalization.ImageNet),
            (preprocessing.Resize, preprocessing.CenterCrop, preprocessing.Filter, preprocessing.TorchvisionCrop, preprocessing.Normalization));
        Assert.Contains(log, line => line.Contains("torchvision", StringComparison.Ordinal));
    }

    [Fact]
    public void AConfigOfOtherNumbersIsAnError()
    {
        Assert.Throws<ArgumentException>(() => (Config("basic") with { Depths = [1, 1, 1] }).Validate());
        Assert.Throws<ArgumentException>(() => (Config("bottleneck") with { Widths = [16, 32, 66, 128] }).Validate());
    }

    private static ResNetNetwork Random(ResNetConfig config)
    {
        var network = new ResNetNetwork(config).Drawn(new Generator(1));
        network.eval();
        return network;
    }
}
