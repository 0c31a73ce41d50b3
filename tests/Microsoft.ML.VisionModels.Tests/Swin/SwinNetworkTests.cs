using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Swin;

public class SwinNetworkTests
{
    internal static readonly SwinConfig Tiny = new()
    {
        ImageSize = new(32, 24), PatchSize = 2, Width = 8, Depths = [2, 2], Heads = [2, 4], WindowSize = 4, MlpRatio = 2, Classes = 3,
    };

    private static readonly SwinConfig s_tinyV2 = Tiny with { Version = SwinVersion.V2, PretrainedWindows = [0, 0] };

    public static TheoryData<SwinPreset> Presets => [.. Enum.GetValues<SwinPreset>()];

    [Theory, MemberData(nameof(Presets))]
    public void EveryParameterOfAPresetLearns(SwinPreset preset)
    {
        // Two blocks a stage of a quarter of the width, on the smallest grid that has more than one window first and more than one token last.
        var config = SwinPresets.Of(preset);
        EveryParameterLearns(config with
        {
            ImageSize = Math.Max(config.WindowSize + 1, 2 << config.LastStage) * config.PatchSize.Height, Width = config.Width / 4, Heads = [.. config.Heads.Select(_ => 2)],
            Depths = [.. config.Depths.Select(_ => 2)], Classes = 3,
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void EveryOptionalPartLearns(int version)
    {
        EveryParameterLearns(Tiny with
        {
            Version = Number(version), QkvBias = false, Activation = Activation.QuickGelu, Dropout = 0.1, AttentionDropout = 0.1, DropPath = 0.1,
        });
    }

    private static void EveryParameterLearns(SwinConfig config)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1);
        using var network = new SwinNetwork(config, generator).Drawn(generator);
        OpenBranches(network);
        TensorAssert.EveryParameterLearns(network, config.ImageSize, generator);
    }

    [Theory]
    [InlineData(SwinPreset.Tiny, 27_519_354)]
    [InlineData(SwinPreset.Small, 48_837_258)]
    [InlineData(SwinPreset.Base, 86_743_224)]
    [InlineData(SwinPreset.Large, 194_995_476)]
    [InlineData(SwinPreset.V2TinyWindow8, 27_578_154)]
    [InlineData(SwinPreset.V2SmallWindow16, 48_959_418)]
    [InlineData(SwinPreset.V2BaseWindow12To24, 86_893_816)]
    public void PresetsHaveThePublishedNumberOfParameters(SwinPreset preset, long count)
    {
        using var network = new SwinNetwork(SwinPresets.Of(preset));
        Assert.Equal(count, network.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void OneSeedGivesOneNetwork()
    {
        using var scope = NewDisposeScope();
        using var one = new SwinNetwork(Tiny).Drawn(new Generator(4));
        using var two = new SwinNetwork(Tiny).Drawn(new Generator(4));
        Assert.All(one.state_dict(), entry => Assert.True(entry.Value.equal(two.state_dict()[entry.Key]).all().item<bool>(), entry.Key));
    }

    [Theory]
    [InlineData(33, 47, 1)]
    [InlineData(33, 47, 2)]
    [InlineData(1, 1, 1)]
    [InlineData(1, 1, 2)]
    [InlineData(5, 100, 1)]
    public void AnySizeGoesIn(int height, int width, int version)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Evaluated(Tiny with { Version = Number(version) });
        var features = network.Features(randn(2, 3, height, width, generator: new Generator(2)));
        var grid = (network.Config with { ImageSize = new(height, width) }).GridOf(1);
        Assert.Equal([2, grid.Height, grid.Width, 16], features.shape);
        Assert.True(features.isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ANetworkForTheTiniestImagesWorks(int version)
    {
        using var scope = NewDisposeScope();
        using var network = Evaluated(Tiny with { Version = Number(version), ImageSize = 2, WindowSize = 7 });
        Assert.True(network.forward(randn(2, 3, 2, 2, generator: new Generator(2))).isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TheFusedKernelEqualsTheProbabilities(int version)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Evaluated(Tiny with { Version = Number(version) });
        var pixels = randn(3, 3, 32, 24, generator: new Generator(2));
        TensorAssert.Close(network.Features(pixels, new Trace()), network.Features(pixels), 1e-5);
    }

    [Fact]
    public void AnotherWindowResamplesTheTables()
    {
        using var scope = NewDisposeScope();
        using var network = Evaluated(Tiny);
        const string Name = "stages.0.blocks.1.position_bias.table";
        var before = network.state_dict()[Name].clone();
        var expected = nn.functional.interpolate(before.t().view(1, 2, 7, 7), size: [9, 9], mode: InterpolationMode.Bicubic, align_corners: false).view(2, 81).t();
        network.Resize(40, windowSize: 5);
        Assert.Equal(5, network.Config.WindowSize);
        TensorAssert.Close(expected, network.state_dict()[Name]);
        Assert.Contains(network.parameters(), parameter => parameter.shape is [81, 2] && parameter.requires_grad);
        Assert.Equal([1, 3], network.forward(zeros(1, 3, 40, 40)).shape);
    }

    [Fact]
    public void V2GoesOnMeasuringByTheWindowsOfItsPretraining()
    {
        using var scope = NewDisposeScope();
        using var network = Evaluated(s_tinyV2 with { ImageSize = 16 });            // grids of 8 and 4
        network.Resize(32, windowSize: 8);
        Assert.Equal([4, 4], network.Config.PretrainedWindows);
        network.Resize(64, windowSize: 8);
        Assert.Equal([4, 4], network.Config.PretrainedWindows);
        // An offset that both windows have keeps its bias.
        var bias = new ContinuousPositionBias(heads: 2, pretrained: 4);
        bias.Initialize(new Generator(1));
        TensorAssert.Close(bias.For(4)[1, 0, 1], bias.For(8)[1, 0, 1]);
        bias.PretrainedWindow = 0;
        TensorAssert.Close(bias.For(4)[1, 0, 15], bias.For(8)[1, 0, 63]);           // corner to corner, in either window's measure
    }

    [Fact]
    public void TheClassMapIsTheGradientTimesTheFeatures()
    {
        using var scope = NewDisposeScope();
        using var network = Evaluated(Tiny);
        var features = network.Features(randn(2, 3, 32, 24, generator: new Generator(2))).detach().requires_grad_();
        var logits = network.Logits(SwinNetwork.Embedding(features));
        logits.amax([1]).sum().backward();
        var expected = (features.grad!.sum([1, 2], keepdim: true) * features).sum(3).relu();
        expected = expected / expected.amax([1, 2], keepdim: true);

        var map = network.ClassMap(features, logits);
        Assert.Equal([2, 8, 6], map.shape);
        TensorAssert.Close(expected, map, 1e-5);
    }

    [Theory]
    [InlineData(1, 0.05)]
    [InlineData(2, 0.1)]
    public void MovesToBFloat16(int version, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Evaluated(Tiny with { Version = Number(version) });
        var pixels = randn(2, 3, 32, 24, generator: new Generator(2));
        var expected = network.forward(pixels);
        network.to(ScalarType.BFloat16);
        var actual = network.forward(pixels.to(ScalarType.BFloat16));
        Assert.Equal(ScalarType.BFloat16, actual.dtype);
        TensorAssert.Close(expected, actual, tolerance);
    }

    [Fact]
    public void TrainsAfterItHasScored()
    {
        using var scope = NewDisposeScope();
        using var network = new SwinNetwork(Tiny).Drawn(new Generator(3));
        var pixels = randn(2, 3, 32, 24, generator: new Generator(2));
        using (inference_mode())
            network.forward(pixels);
        network.forward(pixels).sum().backward();
        Assert.All(network.parameters(), parameter => Assert.NotNull(parameter.grad));
    }

    [Fact]
    public void WithoutAHeadThereAreNoLogits()
    {
        using var scope = NewDisposeScope();
        using var network = Evaluated(Tiny with { Classes = null });
        Assert.Equal([1, 16], SwinNetwork.Embedding(network.Features(zeros(1, 3, 32, 24))).shape);
        Assert.Throws<InvalidOperationException>(() => network.forward(zeros(1, 3, 32, 24)));
        Assert.Contains("[1, 4, 32, 24]", Assert.Throws<ArgumentException>(() => network.Features(zeros(1, 4, 32, 24))).Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ForwardLeavesNothingBehindButItsResults(int version)
    {
        using var network = Evaluated(Tiny with { Version = Number(version) });
        using var pixels = zeros(1, 3, 32, 24);
        using var scope = NewDisposeScope();
        using var features = network.Features(pixels);
        Assert.Equal(1, scope.DisposablesCount);
    }

    [Fact]
    public void ImpossibleNumbersAreErrors()
    {
        Assert.Contains("stage 2", Error(Tiny with { Heads = [2, 3] }));
        Assert.Contains("depth", Error(Tiny with { Depths = [2, 0] }));
        Assert.Contains("2 stages", Error(Tiny with { Heads = [2] }));
        Assert.Contains("window size", Error(Tiny with { WindowSize = 0 }));
        Assert.Contains("pretrained", Error(s_tinyV2 with { PretrainedWindows = [4] }));
        Assert.Contains("'stage3'", Error(Tiny with { FeatureNames = ["stage3"] }));

        static string Error(SwinConfig config) => Assert.Throws<ArgumentException>(() => new SwinNetwork(config)).Message;
    }

    internal static SwinVersion Number(int version) => version == 2 ? SwinVersion.V2 : SwinVersion.V1;

    private static SwinNetwork Evaluated(SwinConfig config)
    {
        using var generator = new Generator(3);
        var network = new SwinNetwork(config).Drawn(generator);
        OpenBranches(network);
        network.eval();
        return network;
    }

    /// <summary>V2's branches begin at zero: what lies behind them gives nothing, and has no gradient in the first step.</summary>
    private static void OpenBranches(SwinNetwork network)
    {
        using var _ = no_grad();
        foreach (var (name, parameter) in network.named_parameters())
        {
            if (name.EndsWith("norm1.weight", StringComparison.Ordinal) || name.EndsWith("norm2.weight", StringComparison.Ordinal))
                parameter.copy_(tensor(0.5f));
        }
    }
}
