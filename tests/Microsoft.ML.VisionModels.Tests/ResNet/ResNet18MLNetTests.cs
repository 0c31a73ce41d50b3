using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Tests.Imaging;
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
    public void TheFeaturizerGivesThemFromFiles()
    {
        using var expected = Checkpoint.Open(TestFolders.Data("resnet18-mlnet/expected.safetensors"));
        var files = JsonSerializer.Deserialize<string[]>(File.ReadAllText(TestFolders.Data("resnet18-mlnet/expected.json")))!;
        AssertFeatures(expected, Preprocessing(), [.. files.Select(file => new FileRow { Image = TestFolders.Data($"resnet18-mlnet/images/{file}") })], 1e-2f);
    }

    [Fact]
    public void TheFeaturizerGivesThemFromPixels()
    {
        using var scope = NewDisposeScope();
        using var expected = Checkpoint.Open(TestFolders.Data("resnet18-mlnet/expected.safetensors"));
        var pixels = expected.Read("pixels").permute(0, 2, 3, 1).contiguous();         // [N, H, W, 3]
        var (height, width) = ((int)pixels.shape[1], (int)pixels.shape[2]);
        using var folder = TestFolders.Temporary();
        var rows = Enumerable.Range(0, (int)pixels.shape[0]).Select(row =>
        {
            var path = folder.File($"{row}.png");
            TestImages.Save(new RgbImage(width, height, pixels[row].data<byte>().ToArray()), path);
            return new FileRow { Image = path };
        }).ToArray();
        // They are resized and cropped already.
        AssertFeatures(expected, Preprocessing() with { Resize = new ImageResize.Exact(height, width), CenterCrop = null }, rows, 2e-4f);
    }

    private static void AssertFeatures(Checkpoint expected, ImagePreprocessing preprocessing, FileRow[] rows, float tolerance)
    {
        using var scope = NewDisposeScope();
        var context = new MLContext();
        var images = context.Data.LoadFromEnumerable(rows);
        using var model = context.Transforms.SslFeaturizer(new SslFeaturizerOptions
        {
            Method = SslMethod.None, Checkpoint = TestFolders.Data(Weights), Preprocessing = preprocessing, Device = "cpu",
        }).Fit(images);
        var features = context.Data.CreateEnumerable<FeatureRow>(model.Transform(images), reuseRowObject: false).Select(row => tensor(row.Embedding)).ToArray();
        AssertClose(expected.Read("embeddings"), stack(features), tolerance);
    }

    private sealed class FileRow
    {
        public string Image { get; set; } = "";
    }

    private sealed class FeatureRow
    {
        public float[] Embedding { get; set; } = [];
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
