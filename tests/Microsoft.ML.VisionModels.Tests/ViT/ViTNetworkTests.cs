using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.ViT;

public class ViTNetworkTests
{
    private static readonly ViTConfig s_tiny = new() { ImageSize = new(16, 24), PatchSize = 8, Width = 16, Depth = 2, Heads = 2, MlpWidth = 32, Classes = 3 };

    public static TheoryData<ViTPreset> Presets => [.. Enum.GetValues<ViTPreset>()];

    [Theory, MemberData(nameof(Presets))]
    public void EveryParameterOfAPresetLearns(ViTPreset preset)
    {
        // Two blocks and two by two patches: more of the same would only cost time.
        var config = ViTConfig.Of(preset);
        EveryParameterLearns(config with { ImageSize = new(2 * config.PatchSize.Height, 2 * config.PatchSize.Width), Depth = 2, Classes = 3 });
    }

    [Fact]
    public void EveryOptionalPartLearns()
    {
        EveryParameterLearns(s_tiny with
        {
            RegisterTokens = 2, EmbeddingNorm = true, LayerScale = 0.1, Pooling = ViTPooling.Mean, QkvBias = false, PatchBias = false, Activation = Activation.QuickGelu,
            Dropout = 0.1, AttentionDropout = 0.1, DropPath = 0.1,
        });
    }

    [Fact]
    public void EveryPartOfDinoV2Learns()
    {
        EveryParameterLearns(s_tiny with { RegisterTokens = 2, LayerScale = 0.1, Pooling = ViTPooling.ClassAndMean, Activation = Activation.SwiGlu, DropPath = 0.1 });
    }

    [Theory]
    [InlineData("Class", 16)]
    [InlineData("ClassAndMean", 32)]
    public void TellsItsFeatures(string pooling, int width)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Tiny(s_tiny with { RegisterTokens = 2, Pooling = Enum.Parse<ViTPooling>(pooling), Interpolation = PositionInterpolation.Size });
        Assert.Equal(["Embedding [16]".Replace("16", $"{width}", StringComparison.Ordinal), "FeatureMap [16, 2, 3]", "AttentionMaps [2, 2, 3]"],
            network.Features.Select(feature => $"{feature.Name} [{string.Join(", ", feature.Shape)}]"));

        var pixels = randn(2, 3, 16, 32, generator: new Generator(2));
        var features = network.Describe(pixels, network.Features.Select(feature => feature.Name).ToHashSet());
        var tokens = network.Tokens(pixels);
        Assert.Equal([2, 2, 2, 4], features["AttentionMaps"].shape);
        TensorAssert.Close(tokens.narrow(1, 3, 8), features["FeatureMap"].flatten(2).transpose(1, 2), 1e-5);
        TensorAssert.Close(network.Embedding(tokens), features["Embedding"], 1e-5);
        if (width == 32)
            TensorAssert.Close(features["FeatureMap"].mean([2, 3]), features["Embedding"].narrow(1, 16, 16), 1e-5);
        Assert.Equal(["FeatureMap"], network.Describe(pixels, new HashSet<string> { "FeatureMap" }).Keys);
    }

    [Fact]
    public void WithoutAClassTokenThereAreNoAttentionMaps()
    {
        using var network = Tiny(s_tiny with { ClassToken = false, Pooling = ViTPooling.Mean });
        Assert.Equal(["Embedding", "FeatureMap"], network.Features.Select(feature => feature.Name));
    }

    private static void EveryParameterLearns(ViTConfig config)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1);
        using var network = new ViTNetwork(config, generator).Drawn(generator);
        TensorAssert.EveryParameterLearns(network, config.ImageSize, generator);
    }

    [Theory]
    [InlineData(ViTPreset.Tiny16, 5_524_416)]
    [InlineData(ViTPreset.Small16, 21_665_664)]
    [InlineData(ViTPreset.Small32, 22_493_952)]
    [InlineData(ViTPreset.Base16, 85_798_656)]
    [InlineData(ViTPreset.Base32, 87_455_232)]
    [InlineData(ViTPreset.Large16, 303_301_632)]
    [InlineData(ViTPreset.Large32, 305_510_400)]
    [InlineData(ViTPreset.Huge14, 630_764_800)]
    [InlineData(ViTPreset.DeiTTiny16Distilled, 5_524_800)]
    [InlineData(ViTPreset.DeiTSmall16Distilled, 21_666_432)]
    [InlineData(ViTPreset.DeiTBase16Distilled, 85_800_192)]
    public void PresetsHaveThePublishedNumberOfParameters(ViTPreset preset, long count)
    {
        using var network = new ViTNetwork(ViTConfig.Of(preset));
        Assert.Equal(count, network.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void OneSeedGivesOneNetwork()
    {
        using var scope = NewDisposeScope();
        using var one = new ViTNetwork(s_tiny).Drawn(new Generator(4));
        using var two = new ViTNetwork(s_tiny).Drawn(new Generator(4));
        Assert.All(one.state_dict(), entry => Assert.True(entry.Value.equal(two.state_dict()[entry.Key]).all().item<bool>(), entry.Key));
    }

    [Fact]
    public void AnotherSizeIsAnErrorThatNamesBoth()
    {
        using var scope = NewDisposeScope();
        using var network = Tiny();
        var message = Assert.Throws<ArgumentException>(() => network.forward(zeros(1, 3, 32, 16))).Message;
        Assert.Contains("32 x 16", message);
        Assert.Contains("16 x 24", message);
        Assert.Contains("[1, 4, 16, 24]", Assert.Throws<ArgumentException>(() => network.forward(zeros(1, 4, 16, 24))).Message);
    }

    [Fact]
    public void AnotherSizeWorksWhereInterpolationIsAllowed()
    {
        using var scope = NewDisposeScope();
        using var network = Tiny(s_tiny with { Interpolation = PositionInterpolation.Size });
        Assert.Equal([2, 1 + 4 * 2, 16], network.Tokens(zeros(2, 3, 35, 16)).shape);
        Assert.Contains("4 x 4", Assert.Throws<ArgumentException>(() => network.forward(zeros(1, 3, 4, 4))).Message);
    }

    [Fact]
    public void ResizeEqualsInterpolationAtEveryCall()
    {
        using var scope = NewDisposeScope();
        using var network = Tiny(s_tiny with { Interpolation = PositionInterpolation.Size });
        var pixels = randn(2, 3, 32, 40, generator: new Generator(2));
        var expected = network.forward(pixels);
        network.Resize(new(32, 40));
        Assert.Equal(new ImageSize(32, 40), network.Config.ImageSize);
        Assert.Equal([1, 1 + 4 * 5, 16], network.state_dict()["pos_embed"].shape);
        Assert.Contains(network.parameters(), parameter => parameter.shape is [1, 21, 16] && parameter.requires_grad);
        TensorAssert.Close(expected, network.forward(pixels), 1e-5);
    }

    [Fact]
    public void MovesToBFloat16()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Tiny(s_tiny with { LayerScale = 0.5, RegisterTokens = 1 });
        var pixels = randn(2, 3, 16, 24, generator: new Generator(2));
        var expected = network.forward(pixels);
        network.to(ScalarType.BFloat16);
        var actual = network.forward(pixels.to(ScalarType.BFloat16));
        Assert.Equal(ScalarType.BFloat16, actual.dtype);
        TensorAssert.Close(expected, actual, 0.05);
    }

    [Fact]
    public void WithoutAHeadThereAreNoLogits()
    {
        using var scope = NewDisposeScope();
        using var network = Tiny(s_tiny with { Classes = null });
        Assert.Equal([1, 16], network.Embedding(network.Tokens(zeros(1, 3, 16, 24))).shape);
        Assert.Throws<InvalidOperationException>(() => network.forward(zeros(1, 3, 16, 24)));
    }

    [Fact]
    public void ForwardLeavesNothingBehindButItsResults()
    {
        using var network = Tiny();
        using var pixels = zeros(1, 3, 16, 24);
        using var scope = NewDisposeScope();
        using var tokens = network.Tokens(pixels);
        Assert.Equal(1, scope.DisposablesCount);
    }

    [Fact]
    public void ImpossibleNumbersAreErrors()
    {
        Assert.Contains("heads", Assert.Throws<ArgumentException>(() => new ViTNetwork(s_tiny with { Heads = 3 })).Message);
        Assert.Contains("depth", Assert.Throws<ArgumentException>(() => new ViTNetwork(s_tiny with { Depth = 0 })).Message);
        Assert.Contains("16 x 24", Assert.Throws<ArgumentException>(() => new ViTNetwork(s_tiny with { PatchSize = 32 })).Message);
    }

    private static ViTNetwork Tiny(ViTConfig? config = null)
    {
        var network = new ViTNetwork(config ?? s_tiny).Drawn(new Generator(3));
        network.eval();
        return network;
    }
}
