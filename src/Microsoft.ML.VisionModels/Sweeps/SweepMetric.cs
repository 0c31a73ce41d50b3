using Microsoft.ML.VisionModels.Evaluation;

namespace Microsoft.ML.VisionModels;

/// <summary>The metric that a sweep optimizes.</summary>
public sealed class SweepMetric
{
    private readonly Func<MLContext, IDataView, double> _measure;

    private SweepMetric(string name, bool higherIsBetter, Func<MLContext, IDataView, double> measure) =>
        (Name, HigherIsBetter, _measure) = (name, higherIsBetter, measure);

    /// <summary>Its name, for reports.</summary>
    public string Name { get; }

    /// <summary>Whether a high value is a good one.</summary>
    public bool HigherIsBetter { get; }

    /// <summary>The share of rows whose predicted label is right.</summary>
    public static SweepMetric Accuracy { get; } = Named("Accuracy");

    /// <summary>
    /// A metric of <c>EvaluateImageClassifier</c> by its name: "Accuracy" (top-1), "Top5Accuracy", "MacroAccuracy" (the mean over the
    /// classes), "LogLoss" or "CalibrationError". Of the last two, lower values are better.
    /// </summary>
    /// <param name="name">The metric.</param>
    /// <param name="labelColumnName">The column of the true labels.</param>
    /// <param name="scoreColumnName">The column of the probabilities.</param>
    /// <param name="predictedLabelColumnName">The column of the predicted labels.</param>
    /// <exception cref="ArgumentException">There is no metric of this name.</exception>
    public static SweepMetric Named(string name, string labelColumnName = "Label", string scoreColumnName = "Score", string predictedLabelColumnName = "PredictedLabel")
    {
        (bool HigherIsBetter, Func<ImageClassificationMetrics, double> Of) metric = name switch
        {
            "Accuracy" => (true, metrics => metrics.Top1Accuracy),
            "Top5Accuracy" => (true, metrics => metrics.Top5Accuracy),
            "MacroAccuracy" => (true, metrics => metrics.MacroAccuracy),
            "LogLoss" => (false, metrics => metrics.LogLoss),
            "CalibrationError" => (false, metrics => metrics.ExpectedCalibrationError),
            _ => throw new ArgumentException($"There is no metric '{name}'; there are Accuracy, Top5Accuracy, MacroAccuracy, LogLoss and CalibrationError. SweepMetric.Of takes a function of your own.", nameof(name)),
        };
        return new(name, metric.HigherIsBetter, (context, scored) =>
            metric.Of(context.MulticlassClassification.EvaluateImageClassifier(scored, labelColumnName, scoreColumnName, predictedLabelColumnName)));
    }

    /// <summary>
    /// How good an embedding is, for pipelines that give no prediction: the share of validation rows whose class is the one that the 20
    /// nearest others vote for (leave one out), as in <c>EvaluateEmbedding</c>.
    /// </summary>
    /// <param name="labelColumnName">The column of the true labels, of which nothing is learned. Rows without one do not count.</param>
    /// <param name="embeddingColumnName">The column of embeddings. Rows whose embedding is NaN, infinite or all zeros do not count.</param>
    public static SweepMetric Neighbors(string labelColumnName = "Label", string embeddingColumnName = "Embedding") =>
        new("NeighborAccuracy", true, (_, scored) => LabeledEmbeddings.Read(scored, labelColumnName, embeddingColumnName).NeighborAccuracy());

    /// <summary>A metric that a function measures.</summary>
    /// <param name="name">Its name, for reports.</param>
    /// <param name="measure">Measures the validation rows after the trial's model has transformed them.</param>
    /// <param name="higherIsBetter">Whether a high value is a good one.</param>
    public static SweepMetric Of(string name, Func<MLContext, IDataView, double> measure, bool higherIsBetter = true)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(measure);
        return new(name, higherIsBetter, measure);
    }

    internal double Measure(MLContext context, IDataView scored) => _measure(context, scored);
}
