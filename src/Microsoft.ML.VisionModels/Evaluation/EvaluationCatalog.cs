using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Evaluation;

namespace Microsoft.ML;

/// <summary>Evaluation of image classifiers, beside ML.NET's own under <c>mlContext.MulticlassClassification</c>.</summary>
public static class EvaluationCatalog
{
    /// <summary>
    /// Measures how well an image classifier did, with what ML.NET's <c>Evaluate</c> does not tell: top-5 accuracy, every class, calibration,
    /// and the rows that could not be measured. The view is read once, and no more of it is kept than the counts.
    /// </summary>
    /// <param name="catalog">The multiclass catalog.</param>
    /// <param name="scored">What a classifier's <c>Transform</c> gave: of this package, or any whose score's slots are named.</param>
    /// <param name="labelColumnName">The column of the right answers: a key, text, an integer or a Boolean. Labels are matched with the classes by name.</param>
    /// <param name="scoreColumnName">The column of the probabilities, a vector of float with the classes as <c>TrainingLabelValues</c> or slot names.</param>
    /// <param name="predictedLabelColumnName">The column of the answers, of any type that labels can have.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type, or the score does not name its classes.</exception>
    /// <exception cref="InvalidOperationException">A predicted label is none of the score's classes.</exception>
    public static ImageClassificationMetrics EvaluateImageClassifier(
        this MulticlassClassificationCatalog catalog, IDataView scored,
        string labelColumnName = "Label", string scoreColumnName = "Score", string predictedLabelColumnName = "PredictedLabel")
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(scored);
        return ScoredRows.Bind(scored, labelColumnName, scoreColumnName, predictedLabelColumnName).Evaluate();
    }
}
