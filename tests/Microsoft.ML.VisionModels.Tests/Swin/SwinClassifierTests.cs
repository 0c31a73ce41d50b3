using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Tests.Swin;

public class SwinClassifierTests
{
    private readonly MLContext _context = new(seed: 1);

    private static SwinClassifierOptions Tiny() => new() { ImageSize = 16, PatchSize = 2, WindowSize = 4, Epochs = 8, BatchSize = 16, LearningRate = 2e-3 };

    [Fact]
    public void TrainsSavesAsAFolderAndGoesOnFromIt()
    {
        using var folder = TestFolders.Temporary();
        var options = Tiny();
        options.AttentionColumnName = "Attention";
        using var model = _context.Transforms.SwinClassifier(options).Fit(ToyImages.View(_context, 120));
        var test = ToyImages.View(_context, 30, seed: 7);
        var scored = model.Transform(test);
        Assert.True(Accuracy(scored) > 0.9, $"accuracy {Accuracy(scored)}");
        Assert.Equal("Vector<Single, 2, 2>", scored.Schema["Attention"].Type.ToString());
        Assert.All(scored.GetColumn<float[]>("Attention"), map => Assert.True(map.Max() is 0 or 1 && map.Min() >= 0));

        model.SaveCheckpoint(folder.Path);
        using var published = _context.Transforms.PretrainedSwinClassifier(folder.Path).Fit(test);
        Assert.Equal(scored.GetColumn<float[]>("Score").SelectMany(row => row), published.Transform(test).GetColumn<float[]>("Score").SelectMany(row => row));

        // Another resolution, another window, and a head for other classes.
        using var tuned = _context.Transforms.SwinClassifier(new SwinClassifierOptions
        {
            Checkpoint = folder.Path, ImageSize = 24, WindowSize = 6, TrainedParts = TrainedParts.LastBlocks, LastBlocks = 3, Epochs = 1,
        }).Fit(ToyImages.View(_context, 30));
        using var use = tuned.Model.Use();
        Assert.Equal((24, 6), (use.As<SwinNetwork>().Config.ImageSize.Height, use.As<SwinNetwork>().Config.WindowSize));
    }

    [Fact]
    public void EveryParameterHasItsPlace()
    {
        using var network = new SwinNetwork(SwinNetworkTests.Tiny with { Depths = [2, 3], Version = SwinVersion.V2 });
        Assert.Equal(5, network.Depth);
        Assert.Equal(0, network.LayerOf("patch_embed.norm.weight"));
        Assert.Equal(1, network.LayerOf("stages.0.blocks.0.attn.qkv.weight"));
        Assert.Equal(2, network.LayerOf("stages.0.downsample.norm.weight"));
        Assert.Equal(5, network.LayerOf("stages.1.blocks.2.norm1.weight"));
        Assert.Equal(6, network.LayerOf("norm.weight"));
        Assert.Equal(6, network.LayerOf("head.bias"));
        Assert.Equal(["head.weight", "head.bias"], network.named_parameters().Select(p => p.name).Where(network.IsHead));
        Assert.Equal(5 * 4, network.named_parameters().Count(p => network.IsSparedFromDecay(p.name)));     // logit_scale, and three of the bias MLP

        ImageClassifier.Freeze(network, TrainedParts.LastBlocks, 3);
        Assert.All(network.named_parameters(), p => Assert.Equal(!p.name.StartsWith("stages.0", StringComparison.Ordinal) && !p.name.StartsWith("patch", StringComparison.Ordinal), p.parameter.requires_grad));
    }

    [Fact]
    public void V2Trains()
    {
        using var folder = TestFolders.Temporary();
        SwinContractSetup.Write(folder.Path, SwinNetworkTests.Tiny with { ImageSize = 16, Version = SwinVersion.V2, PretrainedWindows = [0, 0] }, ["x", "y"]);
        using var model = _context.Transforms.SwinClassifier(new SwinClassifierOptions { Checkpoint = folder.Path, Epochs = 12, BatchSize = 16, LearningRate = 3e-3 })
            .Fit(ToyImages.View(_context, 120));
        var scored = model.Transform(ToyImages.View(_context, 30, seed: 7));
        Assert.True(Accuracy(scored) > 0.8, $"accuracy {Accuracy(scored)}");
    }

    [Theory]
    [MemberData(nameof(Unusable))]
    public void AnUnusableOptionIsNamed(string name, Action<SwinClassifierOptions> set)
    {
        var options = new SwinClassifierOptions();
        set(options);
        Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(() => _context.Transforms.SwinClassifier(options)).Message);
    }

    public static TheoryData<string, Action<SwinClassifierOptions>> Unusable => new()
    {
        { "WindowSize", options => options.WindowSize = 0 },
        { "ImageSize", options => options.ImageSize = 0 },
        { "PatchSize", options => options.PatchSize = 0 },
        { "PatchSize", options => (options.Checkpoint, options.PatchSize) = ("weights", 4) },
        { "DropPath", options => options.DropPath = 1 },
        { "Preset", options => options.Preset = (SwinPreset)99 },
    };

    private static double Accuracy(IDataView scored)
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        scored.Schema["PredictedLabel"].GetKeyValues(ref names);
        var labels = names.DenseValues().Select(name => name.ToString()).ToArray();
        return scored.GetColumn<uint>("PredictedLabel").Zip(scored.GetColumn<string>("Label")).Average(pair => labels[pair.First - 1] == pair.Second ? 1.0 : 0);
    }
}
