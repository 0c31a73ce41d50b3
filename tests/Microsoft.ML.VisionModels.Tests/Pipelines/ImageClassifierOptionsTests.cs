namespace Microsoft.ML.VisionModels.Tests;

public class ImageClassifierOptionsTests
{
    [Theory]
    [InlineData(null, TrainedParts.All, 1e-3)]
    [InlineData("weights", TrainedParts.Head, 1e-3)]
    [InlineData("weights", TrainedParts.LastBlocks, 3e-4)]
    [InlineData("weights", TrainedParts.All, 3e-4)]
    public void PublishedWeightsAreTunedGentlyByDefault(string? checkpoint, TrainedParts parts, double expected)
    {
        Assert.Equal(expected, new ViTClassifierOptions { Checkpoint = checkpoint, TrainedParts = parts }.LearningRate);
        Assert.Equal(0.5, new ViTClassifierOptions { LearningRate = 0.5, Checkpoint = checkpoint, TrainedParts = parts }.LearningRate);
    }

    [Theory]
    [MemberData(nameof(Unusable))]
    public void AnUnusableOptionIsNamed(string name, Action<ViTClassifierOptions> set)
    {
        var options = new ViTClassifierOptions();
        set(options);
        var error = Assert.ThrowsAny<ArgumentException>(() => new MLContext().Transforms.ViTClassifier(options));
        Assert.Contains(name, error.Message);
    }

    public static TheoryData<string, Action<ViTClassifierOptions>> Unusable => new()
    {
        { "Epochs", options => options.Epochs = 0 },
        { "ScoringBatchSize", options => options.ScoringBatchSize = 0 },
        { "CropPadding", options => options.CropPadding = -1 },
        { "ImageColumnName", options => options.ImageColumnName = " " },
        { "TrainedParts", options => options.TrainedParts = TrainedParts.Head },
        { "TrainedParts", options => options.TrainedParts = (TrainedParts)9 },
        { "Labels", options => options.Labels = ["a", "b"] },
        { "PatchSize", options => (options.Checkpoint, options.PatchSize) = ("weights", 4) },
        { "DropPath", options => options.DropPath = 1 },
        { "'Score'", options => options.EmbeddingColumnName = "Score" },
    };
}
