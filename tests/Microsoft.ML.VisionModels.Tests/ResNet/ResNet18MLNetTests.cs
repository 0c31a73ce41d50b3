using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.ResNet;

/// <summary>The network of ML.NET's own image featurizer with its real weights, on photographs.</summary>
[Trait("Category", "RealData")]
[Trait("Family", "SelfSupervised")]
public partial class ResNet18MLNetTests
{
    private const string Weights = "resnet18-mlnet/model.safetensors";

    [Fact]
    public void FeaturesOfPixelsAreTheReferences()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Open();
        using var expected = Checkpoint.Open(TestFolders.Data("resnet18-mlnet/expected.safetensors"));
        var pixels = new ImageProcessor(Preprocessing()).Normalize(expected.Read("pixels"));
        var features = network.Describe(pixels, ((IFeatureNetwork)network).Features.Select(feature => feature.Name).ToHashSet());
        AssertClose(expected.Read("embeddings"), features[IFeatureNetwork.Embedding], 2e-4f);
        var stages = expected.Tensors.Keys.Select(name => Stage().Match(name)).Where(match => match.Success).ToArray();
        Assert.NotEmpty(stages);
        foreach (var stage in stages)
            AssertClose(expected.Read(stage.Value), features[$"Stage{stage.Groups[1].Value}"].mean([2, 3]), 2e-4f);
    }

    /// <summary>Decoders of JPEG differ by a step in a pixel here and there.</summary>
    [Fact]
    public void FeaturesOfFilesAreTheReferences()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Open();
        using var expected = Checkpoint.Open(TestFolders.Data("resnet18-mlnet/expected.safetensors"));
        var files = JsonSerializer.Deserialize<string[]>(File.ReadAllText(TestFolders.Data("resnet18-mlnet/expected.json")))!;
        var pixels = new ImageProcessor(Preprocessing()).ProcessBatch([.. files.Select(file => ImageDecoder.Decode(TestFolders.Data($"resnet18-mlnet/images/{file}")))]);
        var features = network.Describe(pixels, new HashSet<string> { IFeatureNetwork.Embedding });
        AssertClose(expected.Read("embeddings"), features[IFeatureNetwork.Embedding], 1e-2f);
    }

    [Fact]
    public void ABareFileTellsItsNetwork()
    {
        using var network = Open();
        var config = Json();
        Assert.Equal(config.Integers("layers"), network.Config.Depths);
        Assert.Equal(config.Get("embedding_size", 0), network.EmbeddingSize);
        Assert.Null(network.Config.Classes);
    }

    private static ResNetNetwork Open() => new ResNetModel().Open(TestFolders.Data(Weights)).Build();

    private static JsonElement Json() => JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(TestFolders.Data("resnet18-mlnet/config.json")));

    /// <summary>What the configuration says of images.</summary>
    private static ImagePreprocessing Preprocessing()
    {
        var input = Json().GetProperty("input");
        var range = input.Integers("range")!;
        Assert.Equal(0, range[0]);
        using var file = Checkpoint.Open(TestFolders.Data($"resnet18-mlnet/{input.Get("subtract", "")}"));
        using var mean = file.Read(file.Tensors.Keys.Single());
        return new()
        {
            Resize = new ImageResize.ShortestEdge(input.Get("shortest_edge", 0)),
            Filter = Enum.Parse<ResizeFilter>(input.Get("resample", ""), ignoreCase: true),
            CenterCrop = input.Get("size", 0),
            TorchvisionCrop = input.Get("crop_offset", "").StartsWith("torchvision", StringComparison.Ordinal),
            RescaleFactor = range[1] / 255.0,
            ChannelOrder = Enum.Parse<ChannelOrder>(input.Get("channel_order", ""), ignoreCase: true),
            MeanImage = new((int)mean.shape[1], (int)mean.shape[2], mean.data<float>().ToArray()),
        };
    }

    private static void AssertClose(Tensor expected, Tensor actual, float tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.InRange((expected - actual).abs().max().item<float>(), 0, tolerance);
    }

    [GeneratedRegex(@"^layer(\d+)_mean$")]
    private static partial Regex Stage();
}
