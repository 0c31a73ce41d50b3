using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels;

namespace Samples;

/// <summary>How the model does on images it has never seen.</summary>
internal sealed record Evaluation(
    ImageClassificationMetrics Metrics,
    IReadOnlyList<ScoredImage> Images,
    IReadOnlyList<string> Unreadable)
{
    public IReadOnlyList<string> Labels => Metrics.ConfusionMatrix.Labels;

    public static Evaluation Of(MLContext mlContext, ITransformer model, IDataView test)
    {
        // Cached: the metrics and the list of images share one scoring pass.
        var scored = mlContext.Data.Cache(model.Transform(test), "ImagePath", "Label", "PredictedLabel", "Score");
        var rows = mlContext.Data.CreateEnumerable<ScoredImage>(scored, reuseRowObject: false).ToList();
        if (!rows.Any(IsScored))
            throw new InvalidOperationException("No held-out image could be scored: there are too few images, or none could be read.");

        // An image that could not be decoded has no prediction, and one whose class has no training image no label: the metrics count both apart.
        return new(
            mlContext.MulticlassClassification.EvaluateImageClassifier(scored),
            [.. rows.Where(IsScored)],
            [.. rows.Where(row => row.PredictedLabel == 0).Select(row => row.ImagePath)]);
    }

    /// <summary>Some of the images, as evenly from all classes as can be.</summary>
    public IEnumerable<ScoredImage> FromEachClass(int count) => Images
        .GroupBy(image => image.Label)
        .SelectMany(images => images.Index())
        .OrderBy(image => image.Index).ThenBy(image => image.Item.Label)
        .Select(image => image.Item)
        .Take(count);

    private static bool IsScored(ScoredImage row) => row is { Label: > 0, PredictedLabel: > 0 };
}

/// <summary>A held-out image with its true and its predicted class.</summary>
internal sealed class ScoredImage
{
    public string ImagePath { get; set; } = "";

    // Keys count from 1; 0 is a missing value.
    public uint Label { get; set; }
    public uint PredictedLabel { get; set; }
    public float[] Score { get; set; } = [];

    public int TrueClass => (int)Label - 1;
    public int PredictedClass => (int)PredictedLabel - 1;
    public bool IsRight => Label == PredictedLabel;
    public float Confidence => Score[PredictedClass];
}
