using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using static TorchSharp.torch;
using BatchNorm = Microsoft.ML.VisionModels.Layers.BatchNorm;

namespace Microsoft.ML.VisionModels.Tests.ResNet;

public class ResNetNetworkTests
{
    internal static ResNetConfig Tiny => ResNetConfig.Of(ResNetBlockKind.Bottleneck, [1, 2, 1, 1], width: 4) with { ImageSize = 16, SmallStem = true };

    [Theory]
    [InlineData(ResNetPreset.SmallImage, 1_226_400)]
    [InlineData(ResNetPreset.ResNet18, 11_176_512)]
    [InlineData(ResNetPreset.ResNet34, 21_284_672)]
    [InlineData(ResNetPreset.ResNet50, 23_508_032)]
    [InlineData(ResNetPreset.ResNet101, 42_500_160)]
    [InlineData(ResNetPreset.ResNet152, 58_143_808)]
    public void HasAsManyParametersAsTorchvisions(ResNetPreset preset, long parameters)
    {
        using var network = new ResNetNetwork(ResNetConfig.Of(preset));
        Assert.Equal(parameters, network.parameters().Sum(parameter => parameter.numel()));
    }

    [Theory]
    [InlineData(16, 16, true)]
    [InlineData(13, 18, true)]
    [InlineData(8, 8, true)]
    [InlineData(40, 33, false)]
    public void TellsItsFeaturesInTheShapesThatItPromises(int height, int width, bool smallStem)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var network = new ResNetNetwork(Tiny with { ImageSize = new(height, width), SmallStem = smallStem, Classes = 3 }).Drawn(new Generator(1));
        network.eval();
        IFeatureNetwork features = network;
        Assert.Equal(["Embedding", "FeatureMap", "Stage1", "Stage2", "Stage3", "Stage4"], features.Features.Select(feature => feature.Name));
        var pixels = randn([2, 3, height, width], generator: new Generator(2));
        var told = features.Describe(pixels, features.Features.Select(feature => feature.Name).ToHashSet());
        Assert.All(features.Features, feature => Assert.Equal([2, .. feature.Shape.Select(size => (long)size)], told[feature.Name].shape));
        TensorAssert.Close(told["Stage4"], told["FeatureMap"]);
        TensorAssert.Close(told["FeatureMap"].mean([2, 3]), told["Embedding"]);

        var answer = network.Classify(pixels, embedding: true, attention: true);
        TensorAssert.Close(told["Embedding"], answer.Embedding!);
        TensorAssert.Close(network.forward(pixels), answer.Logits);
        Assert.Equal([2, network.AttentionSize.Height, network.AttentionSize.Width], answer.Attention!.shape);
    }

    [Fact]
    public void EveryParameterLearns()
    {
        using var network = new ResNetNetwork(Tiny with { Classes = 3 }).Drawn(new Generator(1));
        TensorAssert.EveryParameterLearns(network, 16, new Generator(2));
    }

    [Fact]
    public void DrawsByHesRule()
    {
        using var scope = NewDisposeScope();
        using var network = new ResNetNetwork(ResNetConfig.Of(ResNetPreset.ResNet18) with { Classes = 100 }).Drawn(new Generator(1));
        var weights = network.state_dict();
        Assert.Equal(Math.Sqrt(2.0 / (9 * 512)), weights["layer4.0.conv1.weight"].std().Item(), 1e-4);
        Assert.Equal(Math.Sqrt(2.0 / (49 * 64)), weights["conv1.weight"].std().Item(), 1e-3);
        Assert.Equal(1 / Math.Sqrt(512), weights["fc.weight"].abs().max().Item(), 1e-4);
        TensorAssert.Close(ones(512), weights["layer4.1.bn2.weight"]);
    }

    [Fact]
    public void EveryParameterHasItsLayer()
    {
        using var network = new ResNetNetwork(Tiny with { Classes = 3 });
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], network.named_parameters().Select(p => network.LayerOf(p.name)).Distinct());
        Assert.Equal(0, network.LayerOf("bn1.weight"));
        Assert.Equal(3, network.LayerOf("layer2.1.bn3.bias"));
        Assert.Equal(4, network.LayerOf("layer3.0.downsample.1.weight"));
        Assert.Equal(6, network.LayerOf("fc.weight"));
        Assert.Equal(["fc.weight", "fc.bias"], network.named_parameters().Select(p => p.name).Where(network.IsHead));
    }

    /// <summary>Layers that do not learn score as they did, and so do what learns above them.</summary>
    [Theory]
    [InlineData(TrainedParts.Head)]
    [InlineData(TrainedParts.LastBlocks)]
    [InlineData(TrainedParts.All)]
    public void StatisticsOfFrozenLayersStay(TrainedParts trained)
    {
        using var scope = NewDisposeScope();
        using var network = new ResNetNetwork(Tiny with { Classes = 3 }).Drawn(new Generator(1));
        ImageClassifier.Freeze(network, trained, lastBlocks: 2);
        network.train();
        var before = network.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.detach().clone());
        network.forward(randn([4, 3, 16, 16], generator: new Generator(2)));
        foreach (var (name, value) in network.state_dict().Where(entry => entry.Key.Contains("running_", StringComparison.Ordinal)))
        {
            var moves = trained == TrainedParts.All || (trained == TrainedParts.LastBlocks && network.LayerOf(name) > network.Depth - 2);
            Assert.NotEqual(moves, value.equal(before[name]).all().item<bool>());
        }
        Assert.Equal(trained != TrainedParts.All, network.modules().OfType<BatchNorm>().Any(norm => norm.FixedStatistics));
    }
}
