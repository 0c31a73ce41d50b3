using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Swin;

public class SwinFeaturesTests
{
    private static readonly SwinConfig s_tiny = SwinNetworkTests.Tiny with { ImageSize = 16, Classes = null };

    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public void EmbeddingsAndMapsAreTheNetworks()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        SwinContractSetup.Write(folder.Path, s_tiny, ["a", "b"]);
        var data = ToyImages.View(_context, 5);
        using var model = _context.Transforms.SwinFeatures(new SwinFeaturesOptions { Checkpoint = folder.Path, Stage1ColumnName = "First", Stage2ColumnName = "Second" }).Fit(data);
        var scored = model.Transform(data);
        Assert.Equal("Vector<Single, 8, 8, 8>", scored.Schema["First"].Type.ToString());
        Assert.Equal("Vector<Single, 16, 4, 4>", scored.Schema["Second"].Type.ToString());
        Assert.Equal("Vector<Single, 16>", scored.Schema["Embedding"].Type.ToString());

        // The embedding is the mean of the last stage's map after the final norm, which a classifier's maps do not have.
        var second = tensor(scored.GetColumn<float[]>("Second").SelectMany(row => row).ToArray()).view(5, 16, 16);
        using var use = model.Model.Use();
        var network = use.As<SwinNetwork>();
        var expected = nn.functional.layer_norm(second.transpose(1, 2), [16], network.state_dict()["norm.weight"], network.state_dict()["norm.bias"], 1e-5).mean([1]);
        TensorAssert.Close(expected, tensor(scored.GetColumn<float[]>("Embedding").SelectMany(row => row).ToArray()).view(5, 16), 1e-5);
    }

    [Fact]
    public void TheLastMapIsThatOfWhichTheEmbeddingIsTheMean()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = new SwinNetwork(s_tiny).Drawn(new Generator(3));
        network.eval();
        var features = network.Describe(randn(2, 3, 16, 16, generator: new Generator(2)), new HashSet<string> { IFeatureNetwork.FeatureMap, IFeatureNetwork.Embedding });
        Assert.Equal([2, .. ((IFeatureNetwork)network).Features.Single(feature => feature.Name == IFeatureNetwork.FeatureMap).Shape], features[IFeatureNetwork.FeatureMap].shape);
        TensorAssert.Close(features[IFeatureNetwork.Embedding], features[IFeatureNetwork.FeatureMap].mean([2, 3]), 1e-5);
    }

    [Fact]
    public void ABackbonesMapsHaveItsNorms()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        SwinContractSetup.Write(folder.Path, s_tiny with { AlwaysPartition = true, FinalNorm = false, FeatureNames = ["stage1", "stage2"] });
        var data = ToyImages.View(_context, 3);
        using var model = _context.Transforms.SwinFeatures(new SwinFeaturesOptions { Checkpoint = folder.Path, Stage1ColumnName = "First", Stage2ColumnName = "Second" }).Fit(data);
        var scored = model.Transform(data);
        var first = tensor(scored.GetColumn<float[]>("First").SelectMany(row => row).ToArray()).view(3, 8, 64);
        TensorAssert.Close(zeros(3, 64), first.mean([1]), 1e-4);
        var second = tensor(scored.GetColumn<float[]>("Second").SelectMany(row => row).ToArray()).view(3, 16, 16);
        TensorAssert.Close(second.mean([2]), tensor(scored.GetColumn<float[]>("Embedding").SelectMany(row => row).ToArray()).view(3, 16), 1e-5);
    }

    [Fact]
    public void WindowsCanBeOfAnotherSize()
    {
        using var folder = TestFolders.Temporary();
        SwinContractSetup.Write(folder.Path, s_tiny);
        using var model = _context.Transforms.SwinFeatures(new SwinFeaturesOptions { Checkpoint = folder.Path, WindowSize = 2 }).Fit(ToyImages.View(_context, 3));
        using var use = model.Model.Use();
        Assert.Equal(2, use.As<SwinNetwork>().Config.WindowSize);
        Assert.All(model.Transform(ToyImages.View(_context, 3)).GetColumn<float[]>("Embedding"), row => Assert.All(row, value => Assert.True(float.IsFinite(value))));
    }

    [Fact]
    public void AStageThatIsNotThereIsRefused()
    {
        using var folder = TestFolders.Temporary();
        SwinContractSetup.Write(folder.Path, s_tiny);
        var estimator = _context.Transforms.SwinFeatures(new SwinFeaturesOptions { Checkpoint = folder.Path, Stage3ColumnName = "Third" });
        var message = Assert.Throws<ArgumentException>(() => estimator.Fit(ToyImages.View(_context, 3))).Message;
        Assert.Contains("Stage3ColumnName is 'Third'", message);
        Assert.Contains("Embedding, Stage1, Stage2", message);
    }

    [Fact]
    public void AWeightsFileNeedsItsPreset()
    {
        using var folder = TestFolders.Temporary();
        using (var generator = new Generator(2))
        using (var network = new SwinNetwork(SwinPresets.Of(SwinPreset.SmallImage) with { Classes = 4 }).Drawn(generator))
            CheckpointLoader.Save(network, SwinDialect.Microsoft(network.Config), folder.File("swin.safetensors"));
        var data = ToyImages.View(_context, 3);
        using var model = _context.Transforms.SwinFeatures(folder.File("swin.safetensors"), preset: SwinPreset.SmallImage).Fit(data);
        Assert.All(model.Transform(data).GetColumn<float[]>("Embedding"), embedding => Assert.Equal(192, embedding.Length));

        var error = Assert.Throws<CheckpointException>(() => _context.Transforms.SwinFeatures(folder.File("swin.safetensors")).Fit(data));
        Assert.Contains("SmallImage", error.Message);
    }

    [Fact]
    public void FeaturesFeedAnotherTrainer()
    {
        using var folder = TestFolders.Temporary();
        SwinContractSetup.Write(folder.Path, s_tiny);
        var data = ToyImages.View(_context, 60);
        var pipeline = _context.Transforms.Conversion.MapValueToKey("Label")
            .Append(_context.Transforms.SwinFeatures(folder.Path))
            .AppendCacheCheckpoint(_context)
            .Append(_context.MulticlassClassification.Trainers.SdcaMaximumEntropy("Label", "Embedding"));
        using var model = pipeline.Fit(data);
        Assert.True(_context.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy > 0.9);
    }

    [Theory]
    [MemberData(nameof(Unusable))]
    public void AnUnusableOptionIsNamed(string name, Action<SwinFeaturesOptions> set)
    {
        var options = new SwinFeaturesOptions { Checkpoint = "weights" };
        set(options);
        var error = Assert.ThrowsAny<ArgumentException>(() => _context.Transforms.SwinFeatures(options));
        Assert.Contains(name, error.Message);
    }

    public static TheoryData<string, Action<SwinFeaturesOptions>> Unusable => new()
    {
        { "Checkpoint", options => options.Checkpoint = null },
        { "EmbeddingColumnName", options => options.EmbeddingColumnName = null },
        { "Stage2ColumnName", options => options.Stage2ColumnName = " " },
        { "'Embedding'", options => options.Stage1ColumnName = "Embedding" },
        { "ImageColumnName", options => options.ImageColumnName = "" },
        { "ImageSize", options => options.ImageSize = 0 },
        { "WindowSize", options => options.WindowSize = 0 },
        { "ScoringBatchSize", options => options.ScoringBatchSize = 0 },
        { "Preset", options => options.Preset = (SwinPreset)99 },
        { "Precision", options => options.Precision = (Precision)9 },
    };
}
