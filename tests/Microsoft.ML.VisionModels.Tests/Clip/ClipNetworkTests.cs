using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Clip;

public class ClipNetworkTests
{
    /// <summary>Heads of 64, as all of OpenAI's networks have.</summary>
    private static readonly ClipConfig s_clip = ClipConfig.Of(
        new ViTConfig { ImageSize = 16, PatchSize = 8, Width = 64, Depth = 2, Heads = 1, MlpWidth = 48, Activation = Activation.QuickGelu, NormEps = 1e-5 },
        new ClipTextConfig { VocabularySize = 30, Positions = 7, Width = 128, Depth = 3, Heads = 2, MlpWidth = 40 }, embeddingSize: 24);

    private static readonly ClipConfig s_sigLip = s_clip with
    {
        Vision = s_clip.Vision with { ClassToken = false, EmbeddingNorm = false, PatchBias = true, Pooling = ViTPooling.Attention },
        Text = s_clip.Text with { Causal = false, Pooling = ClipTextPooling.LastPosition, ProjectionBias = true, EmbeddingSize = 64 },
        EmbeddingSize = 64,
        VisionProjection = false,
        Sigmoid = true,
    };

    public static TheoryData<bool> Both => [false, true];

    [Theory, MemberData(nameof(Both))]
    public void EveryParameterGetsAGradient(bool sigLip)
    {
        using var scope = NewDisposeScope();
        using var network = new ClipNetwork(sigLip ? s_sigLip : s_clip).Drawn(new Generator(1));
        var logits = network.Logits(network.Vision.forward(Pixels(3)), network.Text.forward(Ids()));
        (sigLip ? ClipLoss.Sigmoid(logits, eye(3)) : ClipLoss.Symmetric(logits, eye(3))).backward();
        // A bias of keys shifts all scores of a query alike, and so does not matter: its gradient is zero but for rounding.
        Assert.All(network.named_parameters(), entry => Assert.True(entry.parameter.grad is { } gradient && gradient.abs().sum().Item() > 0, entry.name));
    }

    [Theory, MemberData(nameof(Both))]
    public void CheckpointingGivesTheSameGradients(bool sigLip)
    {
        using var scope = NewDisposeScope();
        var plain = Gradients(checkpointing: false);
        var again = Gradients(checkpointing: true);
        Assert.All(plain, entry => TensorAssert.Close(entry.Value, again[entry.Key], 1e-5));

        Dictionary<string, Tensor> Gradients(bool checkpointing)
        {
            var network = new ClipNetwork(sigLip ? s_sigLip : s_clip).Drawn(new Generator(1));
            network.Vision.GradientCheckpointing = network.Text.GradientCheckpointing = checkpointing;
            ClipLoss.Symmetric(network.Logits(network.Vision.forward(Pixels(3)), network.Text.forward(Ids())), eye(3)).backward();
            return network.named_parameters().Where(entry => entry.parameter.grad is not null).ToDictionary(entry => entry.name, entry => entry.parameter.grad!);
        }
    }

    [Fact]
    public void TextsThatSayTheSameBelongToEachOthersImages()
    {
        using var scope = NewDisposeScope();
        var ids = tensor(new long[] { 1, 2, 1, 2, 3, 4 }, [3, 2]);
        var pairs = ClipLoss.Pairs(ids);
        Assert.Equal([1, 1, 0, 1, 1, 0, 0, 0, 1], pairs.data<float>().ToArray());
        // The two that say the same share what is likely, log 2 each; the third costs nothing.
        var logits = pairs.Sub(1).Mul(1000);
        Assert.Equal(2 * Math.Log(2) / 3, ClipLoss.Symmetric(logits, pairs).Item(), 1e-5);
        Assert.Equal(ClipLoss.Symmetric(logits, eye(3)).Item(), nn.functional.cross_entropy(logits, TensorArithmetic.Arange(3)).Item(), 1e-5);
    }

    [Fact]
    public void WhatFollowsTheEndDoesNotMatter()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Scoring(s_clip);
        var zeros = tensor(new long[] { 28, 3, 5, 29, 0, 0, 0 }, [1, 7]);
        var ends = tensor(new long[] { 28, 3, 5, 29, 29, 29, 29 }, [1, 7]);
        var other = tensor(new long[] { 28, 3, 6, 29, 0, 0, 0 }, [1, 7]);
        TensorAssert.Close(network.Text.forward(zeros), network.Text.forward(ends), 1e-6);
        TensorAssert.Close(network.Text.forward(zeros), network.Text.forward(ClipTexts.Trim(zeros, 4, s_clip.Text)), 1e-6);
        Assert.Equal([1, 7], ClipTexts.Trim(zeros, 4, s_sigLip.Text).shape);
        Assert.True((network.Text.forward(zeros) - network.Text.forward(other)).abs().max().Item() > 1e-3);
    }

    [Fact]
    public void TheEndTokenMayHaveAnyNumber()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var highest = Scoring(s_clip);
        using var numbered = Scoring(s_clip with { Text = s_clip.Text with { Pooling = ClipTextPooling.EndToken, EndToken = 29 } });
        TensorAssert.Close(highest.Text.forward(Ids()), numbered.Text.forward(Ids()), 1e-6);
    }

    [Fact]
    public void MoreTokensThanPositionsAreAnError()
    {
        using var scope = NewDisposeScope();
        using var network = Scoring(s_clip);
        Assert.Contains("8 tokens", Assert.Throws<ArgumentException>(() => network.Text.forward(zeros(1, 8, dtype: int64))).Message);
    }

    [Fact]
    public void AFileWithOpenAIsNamesTellsItsOwnSizes()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var folder = TestFolders.Temporary();
        using var network = Scoring(s_clip);
        var file = folder.File("ViT-tiny.safetensors");
        // In 16 bits and with what OpenAI's files say of themselves.
        CheckpointLoader.Save(network, ClipDialect.OpenAI, file, ("input_resolution", tensor(16)), ("context_length", tensor(7)), ("vocab_size", tensor(30)));

        var source = new ClipModel().Open(file);
        Assert.Equal(ModelJson.Write(s_clip), ModelJson.Write(source.Config));
        using var loaded = source.Build();
        Assert.True(source.PreprocessingOr(null).TorchvisionCrop);
        TensorAssert.Close(network.Vision.forward(Pixels(2)), loaded.Vision.forward(Pixels(2)), 0);
        TensorAssert.Close(network.Text.forward(Ids()), loaded.Text.forward(Ids()), 0);
    }

    [Fact]
    public void AFileThatDoesNotSayItsActivationIsAskedFor()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var network = Scoring(s_clip);
        var file = folder.File("open_clip.safetensors");
        CheckpointLoader.Save(network, ClipDialect.OpenAI, file);
        var own = folder.File("openai.safetensors");
        CheckpointLoader.Save(network, ClipDialect.OpenAI, own, ("input_resolution", tensor(16)), ("context_length", tensor(7)), ("vocab_size", tensor(30)));

        Assert.Equal((Activation.QuickGelu, Activation.QuickGelu, true), Opened(file, null));
        Assert.Equal((Activation.QuickGelu, Activation.QuickGelu, false), Opened(file, true));
        Assert.Equal((Activation.Gelu, Activation.Gelu, false), Opened(file, false));
        Assert.Equal((Activation.QuickGelu, Activation.QuickGelu, false), Opened(own, null));

        static (Activation Vision, Activation Text, bool Said) Opened(string file, bool? quickGelu)
        {
            var said = new List<string>();
            using var listening = Notices.To(new NoticeLog(said.Add));
            var config = PublishedClip.Open(new ClipZeroShotOptions { Checkpoint = file, QuickGelu = quickGelu }).Config;
            Assert.All(said, sentence => Assert.Contains("QuickGelu", sentence));
            return (config.Vision.Activation, config.Text.Activation, said.Count > 0);
        }
    }

    [Fact]
    public void BothTowersHaveTheNormsOfTheirConfig()
    {
        var written = System.Text.Json.JsonSerializer.SerializeToElement((s_clip with { Vision = s_clip.Vision with { NormEps = 1e-3 }, Text = s_clip.Text with { NormEps = 1e-4 } }).ToHuggingFace());
        var read = ClipConfig.FromHuggingFace(written);
        Assert.Equal((1e-3, 1e-4), (read.Vision.NormEps, read.Text.NormEps));
    }

    [Fact]
    public void TheTemperatureIsClamped()
    {
        using var scope = NewDisposeScope();
        using var network = new ClipNetwork(s_clip).Drawn(new Generator(1));
        using (no_grad())
            network.state_dict()["logit_scale"].copy_(tensor(7f));
        network.ClampTemperature();
        Assert.Equal(Math.Log(100), network.state_dict()["logit_scale"].Item(), 1e-5);
    }

    [Fact]
    public void AnOpenClipFolderTellsItsActivation()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var gelu = s_clip with { Vision = s_clip.Vision with { Activation = Activation.Gelu }, Text = s_clip.Text with { Activation = Activation.Gelu } };
        using var network = Scoring(gelu);
        CheckpointLoader.Save(network, ClipDialect.OpenAI, folder.File("open_clip_model.safetensors"));
        Assert.Throws<FileNotFoundException>(() => new ClipModel().Open(folder.Path));

        File.WriteAllText(folder.File("open_clip_config.json"), """{"model_cfg": {"embed_dim": 24, "quick_gelu": false, "vision_cfg": {"image_size": 16, "layers": 2, "width": 64, "patch_size": 8, "no_ln_pre": false, "act_kwargs": {}, "timm_model_name": null}, "text_cfg": {"context_length": 7, "heads": 2, "pool_type": "argmax"}}, "preprocess_cfg": {"size": 16, "mode": "RGB", "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0, "mean": [0.5, 0.4, 0.3], "std": [0.1, 0.2, 0.3]}}""");
        var source = new ClipModel().Open(folder.Path);
        Assert.Equal(ModelJson.Write(gelu), ModelJson.Write(source.Config));
        Assert.Equal(new ImageNormalization((0.5f, 0.4f, 0.3f), (0.1f, 0.2f, 0.3f)), source.PreprocessingOr(null).Normalization);
    }

    [Theory]
    [InlineData("""{"model_cfg": {"vision_cfg": {"no_ln_pre": true}}}""", "vision_cfg.no_ln_pre")]
    [InlineData("""{"model_cfg": {"vision_cfg": {"pool_type": "avg"}}}""", "vision_cfg.pool_type")]
    [InlineData("""{"model_cfg": {"vision_cfg": {"pool_type": "tok"}, "text_cfg": {"pool_type": "last"}}}""", "text_cfg.pool_type")]
    [InlineData("""{"model_cfg": {"vision_cfg": {"norm_kwargs": {"eps": 1e-6}}}}""", "vision_cfg.norm_kwargs")]
    [InlineData("""{"model_cfg": {"text_cfg": {"no_causal_mask": true}}}""", "text_cfg.no_causal_mask")]
    [InlineData("""{"model_cfg": {"something_new": 1}}""", "model_cfg.something_new")]
    [InlineData("""{"model_cfg": {}, "preprocess_cfg": {"interpolation": "bilinear"}}""", "preprocess_cfg.interpolation")]
    [InlineData("""{"model_cfg": {}, "preprocess_cfg": {"mean": ["a", 0, 0], "std": [1, 1, 1]}}""", "preprocess_cfg.mean")]
    public void AnOpenClipConfigurationThatAsksForMoreIsRefusedByName(string config, string entry)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var network = Scoring(s_clip);
        CheckpointLoader.Save(network, ClipDialect.OpenAI, folder.File("open_clip_model.safetensors"));
        File.WriteAllText(folder.File("open_clip_config.json"), config);
        Assert.Contains(entry, Assert.Throws<CheckpointException>(() => new ClipModel().Open(folder.Path)).Message);
    }

    [Theory]
    [InlineData("[1e300, 0, 0]", "[1, 1, 1]")]
    [InlineData("[0.5, 0.5, 0.5]", "[1, 0, 1]")]
    public void AnOpenClipNormalizationThatIsNoneIsRefused(string mean, string std)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var network = Scoring(s_clip);
        CheckpointLoader.Save(network, ClipDialect.OpenAI, folder.File("open_clip_model.safetensors"));
        File.WriteAllText(folder.File("open_clip_config.json"), $$"""{"model_cfg": {}, "preprocess_cfg": {"mean": {{mean}}, "std": {{std}} } }""");
        var model = new ClipModel().Open(folder.Path);
        Assert.Contains("Normalization", Assert.Throws<CheckpointException>(() => model.PreprocessingOr(null)).Message);
    }

    [Fact]
    public void ForeignFilesAreNamed()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        SafetensorsWriter.Write(folder.File("resnet.safetensors"), [("visual.layer1.0.conv1.weight", zeros(1))]);
        Assert.Contains("ResNet", Assert.Throws<CheckpointException>(() => new ClipModel().Open(folder.File("resnet.safetensors"))).Message);
        SafetensorsWriter.Write(folder.File("other.safetensors"), [("weight", zeros(1))]);
        Assert.Contains("visual.conv1.weight", Assert.Throws<CheckpointException>(() => new ClipModel().Open(folder.File("other.safetensors"))).Message);
    }

    [Theory, MemberData(nameof(Both))]
    public void MovesToBFloat16(bool sigLip)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Scoring(sigLip ? s_sigLip : s_clip);
        var (images, texts) = (ClipNetwork.Normalize(network.Vision.forward(Pixels(2))), ClipNetwork.Normalize(network.Text.forward(Ids())));
        network.to(ScalarType.BFloat16);
        TensorAssert.Close(images, ClipNetwork.Normalize(network.Vision.forward(Pixels(2).to(ScalarType.BFloat16))), 0.05);
        TensorAssert.Close(texts, ClipNetwork.Normalize(network.Text.forward(Ids())), 0.05);
    }

    private static ClipNetwork Scoring(ClipConfig config)
    {
        var network = new ClipNetwork(config).Drawn(new Generator(3));
        network.eval();
        return network;
    }

    private static Tensor Pixels(int count) => randn(count, 3, 16, 16, generator: new Generator(2));

    private static Tensor Ids() => tensor(new long[] { 28, 3, 5, 29, 0, 0, 0, 28, 29, 0, 0, 0, 0, 0, 28, 1, 2, 3, 4, 5, 29 }, [3, 7]);
}
