using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Evaluation;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML;

/// <summary>Evaluation of image classifiers, beside ML.NET's own under <c>mlContext.MulticlassClassification</c>.</summary>
public static class EvaluationCatalog
{
    /// <summary>
    /// Measures how well an image classifier did. Other than ML.NET's <c>Evaluate</c>, this also gives top-5 accuracy, the measures of every
    /// class, calibration, and the rows that could not be measured. The view is read once, and only counts are kept.
    /// </summary>
    /// <param name="catalog">The multiclass catalog.</param>
    /// <param name="scored">The result of a classifier's <c>Transform</c>: one of this package, or any other whose score has slot names.</param>
    /// <param name="labelColumnName">The column of the true labels: a key, text, an integer or a Boolean. Labels are matched with the classes by name, and keys with the score's own values by place: see <see cref="ImageClassificationMetrics.SharedNames"/>.</param>
    /// <param name="scoreColumnName">The column of the probabilities, a vector of float with the classes as <c>TrainingLabelValues</c> or slot names.</param>
    /// <param name="predictedLabelColumnName">The column of the predicted labels, of any type that labels can have.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type, or the score does not name its classes.</exception>
    /// <exception cref="InvalidOperationException">A predicted label is not a class of the score.</exception>
    public static ImageClassificationMetrics EvaluateImageClassifier(
        this MulticlassClassificationCatalog catalog, IDataView scored,
        string labelColumnName = "Label", string scoreColumnName = "Score", string predictedLabelColumnName = "PredictedLabel")
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(scored);
        using var notices = MLNet.LogNotices(MLNet.EnvironmentOf(catalog));
        return ScoredRows.Bind(scored, labelColumnName, scoreColumnName, predictedLabelColumnName).Evaluate();
    }
}
