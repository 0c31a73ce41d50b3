using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Samples;

/// <summary>How the model does on pictures it has never seen.</summary>
internal sealed record Evaluation(
    ImageClassificationMetrics Metrics,
    IReadOnlyList<ScoredPicture> Pictures,
    IReadOnlyList<string> Unreadable)
{
    public IReadOnlyList<string> Labels => Metrics.ConfusionMatrix.Labels;

    public static Evaluation Of(MLContext mlContext, ITransformer model, IDataView test)
    {
        // Cached: the metrics and the list of pictures share one scoring pass.
        var scored = mlContext.Data.Cache(model.Transform(test), "ImagePath", "Label", "PredictedLabel", "Score");
        var rows = mlContext.Data.CreateEnumerable<ScoredPicture>(scored, reuseRowObject: false).ToList();
        if (!rows.Any(IsScored))
            throw new InvalidOperationException("No held-out picture could be scored: there are too few pictures, or none could be read.");

        // A picture that could not be decoded has no prediction, and one whose class has no training picture no label: the metrics count both apart.
        return new(
            mlContext.MulticlassClassification.EvaluateImageClassifier(scored),
            [.. rows.Where(IsScored)],
            [.. rows.Where(row => row.PredictedLabel == 0).Select(row => row.ImagePath)]);
    }

    /// <summary>Some of the pictures, as evenly from all classes as can be.</summary>
    public IEnumerable<ScoredPicture> FromEachClass(int count) => Pictures
        .GroupBy(picture => picture.Label)
        .SelectMany(pictures => pictures.Index())
        .OrderBy(picture => picture.Index).ThenBy(picture => picture.Item.Label)
        .Select(picture => picture.Item)
        .Take(count);

    private static bool IsScored(ScoredPicture row) => row is { Label: > 0, PredictedLabel: > 0 };
}
