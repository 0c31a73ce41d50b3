using Microsoft.ML;
using Samples.Report;
using Spectre.Console;

namespace Samples;

/// <summary>What a sample leaves in its folder.</summary>
internal sealed record Results(string Folder)
{
    private const int Looks = 12;

    public string ModelPath => Path.Combine(Folder, "model.zip");
    public string ReportPath => Path.Combine(Folder, "report.html");

    /// <summary>Loads the saved model, classifies single images with it as an application would, and writes the report.</summary>
    /// <param name="report">The report, without the single images.</param>
    /// <param name="mlContext">The context to load the model in.</param>
    /// <param name="steps">The times so far.</param>
    public void Report(ReportData report, MLContext mlContext, Steps steps)
    {
        var evaluation = report.Evaluation;
        using var classifier = steps.Time("loading it back", () => new Classifier(mlContext, ModelPath));
        var looks = steps.Time("single predictions", () => evaluation.FromEachClass(Looks)
            .Select(image => (image, classifier.Classify(image.ImagePath))).ToList());
        ReportPage.Write(report with { Looks = looks }, ReportPath);

        var (image, output) = looks[0];
        AnsiConsole.MarkupLineInterpolated($"Test accuracy [bold green]{evaluation.Metrics.Top1Accuracy * 100:0.0} %[/] on {evaluation.Metrics.Count:N0} held-out images, log loss {evaluation.Metrics.LogLoss:0.000}, calibration error {evaluation.Metrics.ExpectedCalibrationError * 100:0.0} %.");
        AnsiConsole.MarkupLineInterpolated($"One image through the loaded model: {Path.GetFileName(image.ImagePath)} is seen as '{output.Prediction}' ({output.Score.Max() * 100:0.0} %) and is '{evaluation.Labels[image.TrueClass]}'.");
        AnsiConsole.MarkupLineInterpolated($"Model  {ModelPath}");
        AnsiConsole.MarkupLineInterpolated($"Report {ReportPath}");
    }
}
