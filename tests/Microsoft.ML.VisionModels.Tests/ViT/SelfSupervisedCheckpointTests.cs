using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Tests.Checkpoints;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.ViT;

/// <summary>What self-supervised training leaves: files with a decoder, with a student and its teacher, with registers.</summary>
public sealed class SelfSupervisedCheckpointTests : IDisposable
{
    private static readonly ViTConfig s_small = ViTConfig.Of(ViTPreset.SmallImage);

    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly List<string> _said = [];

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void AFolderOfMaeIsItsEncoder()
    {
        using var network = Drawn(s_small with { NormEps = 1e-12 });
        var tensors = Named(network, ViTDialect.HuggingFace(network.Config)).Select(tensor => ("vit." + tensor.Name, tensor.Value));
        SafetensorsWriter.Write(_folder.File("model.safetensors"),
            [.. tensors, ("decoder.mask_token", zeros(1, 1, 8)), ("decoder.decoder_pos_embed", zeros(1, 65, 8)), ("decoder.decoder_layers.0.output.dense.bias", zeros(8))]);
        var config = network.Config.ToHuggingFace(null);
        config["model_type"] = "vit_mae";
        config["architectures"] = new JsonArray("ViTMAEForPreTraining");
        config["decoder_hidden_size"] = 8;
        File.WriteAllText(_folder.File("config.json"), config.ToJsonString());

        AssertReads(network, _folder.Path, CheckpointWeights.Trained);
        Assert.Empty(_said);

        // What is made of it is a Vision Transformer as any other: MAE's own class hides patches.
        Assert.Equal("vit", network.Config.ToHuggingFace(null)["model_type"]!.GetValue<string>());
    }

    [Fact]
    public void AFileOfMaeIsItsEncoder()
    {
        using var network = Drawn(s_small);
        TorchFile.Write(_folder.File("mae.pth"), new Dictionary<string, object>
        {
            ["model"] = Tensors(network, ViTDialect.Timm, "", ("mask_token", zeros(1, 1, 8)), ("decoder_pos_embed", zeros(1, 65, 8)), ("decoder_embed.weight", zeros(8, 128)),
                ("decoder_blocks.0.attn.qkv.weight", zeros(24, 8)), ("decoder_norm.bias", zeros(8)), ("decoder_pred.bias", zeros(48))),
        });
        AssertReads(network, _folder.File("mae.pth"), CheckpointWeights.Trained);
        Assert.Empty(_said);
    }

    [Fact]
    public void OfATrainingOfDinoTheStudentOrTheTeacherIsRead()
    {
        using var student = Drawn(s_small, seed: 1);
        using var teacher = Drawn(s_small, seed: 2);
        (string, Tensor)[] head = [("head.mlp.0.weight", zeros(8, 128)), ("head.mlp.0.bias", zeros(8)), ("head.last_layer.weight_g", ones(4, 1)), ("head.last_layer.weight_v", zeros(4, 8))];
        TorchFile.Write(_folder.File("checkpoint.pth"), new Dictionary<string, object>
        {
            ["student"] = Tensors(student, ViTDialect.Timm, "module.backbone.", [.. head.Select(tensor => ("module." + tensor.Item1, tensor.Item2))]),
            ["teacher"] = Tensors(teacher, ViTDialect.Timm, "backbone.", head),
            ["optimizer"] = new Dictionary<string, object> { ["state"] = zeros(3) },
            ["epoch"] = 100,
            ["dino_loss"] = new Dictionary<string, object> { ["center"] = zeros(1, 4) },
        });

        AssertReads(student, _folder.File("checkpoint.pth"), CheckpointWeights.Trained);
        Assert.Contains(_said, sentence => sentence.Contains("'student' is read", StringComparison.Ordinal) && sentence.Contains(nameof(CheckpointWeights), StringComparison.Ordinal));
        Assert.Contains(_said, sentence => sentence.Contains("passed over are 4 other tensors: 'module.head.mlp.0.weight'", StringComparison.Ordinal));
        AssertReads(teacher, _folder.File("checkpoint.pth"), CheckpointWeights.Averaged);
    }

    [Theory]
    [InlineData(0, "ScaleFactor")]
    [InlineData(4, "AntialiasedSize")]
    public void AFileOfDinoV2TellsItsParts(int registers, string rule)
    {
        using var network = Drawn(s_small with { LayerScale = 1, RegisterTokens = registers, Interpolation = Enum.Parse<PositionInterpolation>(rule) });
        TorchFile.Write(_folder.File("dinov2.pth"), Tensors(network, ViTDialect.DinoV2(network.Config), "", ("mask_token", zeros(1, 128))));
        AssertReads(network, _folder.File("dinov2.pth"), CheckpointWeights.Trained);
    }

    /// <summary>What the authors evaluate with, by which the network's images have 224 pixels though its positions are of 518.</summary>
    [Fact]
    public void AFileOfDinoV2IsUsedAsItsAuthorsDo()
    {
        using var network = Drawn(s_small with { ImageSize = 518, PatchSize = 14, LayerScale = 1 });
        CheckpointLoader.Save(network, ViTDialect.DinoV2(network.Config), _folder.File("dinov2.safetensors"));
        var opened = Open(_folder.File("dinov2.safetensors"), CheckpointWeights.Trained);
        var size = ViTModel.ImageSizeOf(opened, chosen: null, preprocessing: null);
        Assert.Equal(new ImageSize(224, 224), size);
        var expected = new ImagePreprocessing
        {
            Resize = new ImageResize.ShortestEdge(256), Filter = ResizeFilter.Bicubic, CenterCrop = 224, TorchvisionCrop = true, Normalization = ImageNormalization.ImageNet,
        };
        Assert.Equal(expected, opened.Preprocessing(null, size));
        Assert.Equal(new ImageSize(98, 98), ViTModel.ImageSizeOf(opened, chosen: 98, preprocessing: null));
        Assert.Equal(new ImageSize(56, 56), ViTModel.ImageSizeOf(opened, chosen: null, preprocessing: ImagePreprocessing.ExactSize(56, 56)));
        using var resized = opened.Build().Resize(size);
        Assert.Equal([1, 1 + 16 * 16, 128], resized.state_dict()["pos_embed"].shape);
        Assert.Empty(_said);
    }

    [Fact]
    public void AFileOfAnotherNetworkSaysSo()
    {
        SafetensorsWriter.Write(_folder.File("resnet.safetensors"), [("conv1.weight", zeros(4, 3, 7, 7)), ("bn1.running_mean", zeros(4)), ("layer1.0.conv1.weight", zeros(4, 4, 3, 3))]);
        var error = Assert.Throws<CheckpointException>(() => Open(_folder.File("resnet.safetensors"), CheckpointWeights.Trained));
        Assert.Contains("not those of a known publisher", error.Message);
        Assert.Contains("'conv1.weight'", error.Message);
    }

    [Fact]
    public void AFolderOfAnotherFamilySaysSo()
    {
        using var network = Drawn(s_small);
        CheckpointLoader.Save(network, ViTDialect.Timm, _folder.File("model.safetensors"));
        File.WriteAllText(_folder.File("config.json"), """{ "model_type": "resnet" }""");
        Assert.Contains("'dinov2'", Assert.Throws<CheckpointException>(() => Open(_folder.Path, CheckpointWeights.Trained)).Message);
    }

    /// <summary>DINOv2 is published for large images and used for smaller ones: the published preprocessing says which.</summary>
    [Fact]
    public void ADinoV2LearnsAtTheSizeThatImagesArePreparedAsAndIsPublished()
    {
        using var published = new PublishedFolder("dinov2");
        published.Change("preprocessor_config.json", json => (json["crop_size"], json["size"]) = (JsonNode.Parse("""{"height": 28, "width": 28}"""), JsonNode.Parse("""{"shortest_edge": 28}""")));
        var context = new MLContext(seed: 1);
        var data = ToyImages.View(context, 12);
        using var model = context.Transforms.ViTClassifier(new ViTClassifierOptions { Checkpoint = published.Path, Epochs = 1, BatchSize = 4, ValidationFraction = 0, DropPath = 0.1 }).Fit(data);
        ViTConfig config;
        using (var use = model.Model.Use())
            config = use.As<ViTNetwork>().Config;
        Assert.Equal((28, ViTPooling.ClassAndMean, PositionInterpolation.Size), (config.ImageSize.Height, config.Pooling, config.Interpolation));

        model.SaveCheckpoint(_folder.Path);
        Assert.Equal(config, new ViTModel(default).Open(_folder.Path).Config);
        using (var written = Checkpoint.Open(_folder.Path))
            Assert.Equal([1, 32], written.Tensors["dinov2.embeddings.mask_token"].Shape);
        using var again = context.Transforms.PretrainedViTClassifier(_folder.Path).Fit(data);
        Assert.Equal(model.Transform(data).GetColumn<float[]>("Score"), again.Transform(data).GetColumn<float[]>("Score"));
    }

    private PublishedModel<ViTConfig, ViTNetwork> Open(string path, CheckpointWeights weights)
    {
        using var notices = Notices.To(new NoticeLog(_said.Add));
        var opened = new ViTModel(ViTPreset.SmallImage).Open(path, weights);
        opened.Build().Dispose();
        return opened;
    }

    private void AssertReads(ViTNetwork expected, string path, CheckpointWeights weights)
    {
        var opened = Open(path, weights);
        Assert.Equal(expected.Config, opened.Config);
        using var network = opened.Build();
        Assert.All(expected.state_dict(), tensor => Assert.True(tensor.Value.equal(network.state_dict()[tensor.Key]).all().item<bool>(), tensor.Key));
    }

    private static ViTNetwork Drawn(ViTConfig config, int seed = 1) => new ViTNetwork(config).Drawn(new Generator((ulong)seed));

    private List<(string Name, Tensor Value)> Named(ViTNetwork network, Dialect dialect)
    {
        CheckpointLoader.Save(network, dialect, _folder.File("named.safetensors"));
        using var file = Checkpoint.Open(_folder.File("named.safetensors"));
        return [.. file.Tensors.Keys.Select(name => (name, file.Read(name)))];
    }

    private Dictionary<string, object> Tensors(ViTNetwork network, Dialect dialect, string prefix, params (string Name, Tensor Value)[] more) =>
        Named(network, dialect).Select(tensor => (Name: prefix + tensor.Name, tensor.Value)).Concat(more).ToDictionary(tensor => tensor.Name, tensor => (object)tensor.Value);
}
