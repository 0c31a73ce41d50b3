using System.Diagnostics;
using System.Globalization;
using ImageClassification;
using ImageClassification.Report;
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Spectre.Console;

CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
if (args.Contains("--help"))
{
    Console.WriteLine(Settings.Help);
    return 0;
}

if (Console.IsOutputRedirected)
    AnsiConsole.Profile.Width = 1000;   // a file needs no line breaks

// Ctrl+C ends training and goes on with the best model so far; a second Ctrl+C ends the program.
using var cancellation = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = !cancellation.IsCancellationRequested;
    cancellation.Cancel();
};

try
{
    Run(Settings.Parse(args));
    return 0;
}
catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException or IOException
    or CheckpointException or TrainingDivergedException or OperationCanceledException)
{
    AnsiConsole.MarkupLineInterpolated($"[red]{e.Message}[/]");
    return 1;
}

void Run(Settings settings)
{
    var mlContext = new MLContext(settings.Seed);
    var times = new List<(string Step, TimeSpan Time)>();
    Directory.CreateDirectory(settings.Out);

    // The data: pictures in a folder per class. A fifth of them is kept away from training.
    var (images, test, train) = Timed("finding the pictures", () =>
    {
        var images = mlContext.Data.LoadImageFolder(settings.Data ?? Digits.Unpack(Path.Combine(settings.Out, "digits")));
        var split = mlContext.Data.TrainTestSplit(images, testFraction: 0.2);
        return (images, split.TestSet, split.TrainSet);
    });
    AnsiConsole.MarkupLineInterpolated($"[bold]{settings.DataName}[/]: {images.GetRowCount():N0} pictures, of which a fifth is held out for the test.");

    // Train.
    var options = Training.Options(settings);
    options.CancellationToken = cancellation.Token;
    using var model = Timed("training", () => TrainingScreen.Show(screen =>
    {
        options.Progress = screen;
        return Training.Fit(mlContext, train, options);
    }));
    var classifierPart = model.OfType<ViTClassifierTransformer>().Single();

    // Evaluate on the pictures that were kept away.
    var evaluation = Timed("evaluation", () => Evaluation.Of(mlContext, model, test));

    // Save, load back, and classify single pictures with what was loaded.
    Timed("saving the model", () =>
    {
        mlContext.Model.Save(model, images.Schema, settings.ModelPath);
        return true;
    });
    using var classifier = Timed("loading it back", () => new Classifier(mlContext, settings.ModelPath));
    var looks = Timed("single predictions", () => evaluation.FromEachClass(count: 12)
        .Select(picture => (picture, classifier.Classify(picture.ImagePath))).ToList());

    ReportPage.Write(new ReportData
    {
        DataName = settings.DataName,
        Evaluation = evaluation,
        Curve = LearningCurve.Of(classifierPart.History!),
        Looks = looks,
        Preprocessing = classifierPart.Preprocessing,
        Settings = Training.Describe(options, classifierPart),
        Times = times,
    }, settings.ReportPath);

    var (picture, output) = looks[0];
    AnsiConsole.MarkupLineInterpolated($"Test accuracy [bold green]{evaluation.Metrics.MicroAccuracy * 100:0.0} %[/] on {evaluation.Pictures.Count:N0} held-out pictures, log loss {evaluation.Metrics.LogLoss:0.000}.");
    AnsiConsole.MarkupLineInterpolated($"One picture through the loaded model: {Path.GetFileName(picture.ImagePath)} is seen as '{output.Prediction}' ({output.Score.Max() * 100:0.0} %) and is '{evaluation.Labels[picture.TrueClass]}'.");
    AnsiConsole.MarkupLineInterpolated($"Model  {settings.ModelPath}");
    AnsiConsole.MarkupLineInterpolated($"Report {settings.ReportPath}");

    T Timed<T>(string step, Func<T> work)
    {
        var watch = Stopwatch.StartNew();
        var result = work();
        times.Add((step, watch.Elapsed));
        return result;
    }
}
