using ImageClassification;
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Samples;
using Samples.Report;
using Spectre.Console;

return SampleProgram.Run<Settings>(args, (settings, cancellation) =>
{
    var mlContext = new MLContext(settings.Seed);
    var steps = new Steps();
    var results = new Results(settings.Out);
    Directory.CreateDirectory(settings.Out);

    // The data: images in a folder per class. A fifth of them is kept away from training.
    var images = steps.Time("finding the images", () =>
        mlContext.Data.LoadImageFolder(settings.Data ?? Digits.Unpack(Path.Combine(settings.Out, "digits"))));
    var split = mlContext.Data.TrainTestSplit(images, testFraction: 0.2);
    AnsiConsole.MarkupLineInterpolated($"[bold]{settings.DataName}[/]: {images.GetRowCount():N0} images, of which a fifth is held out for the test.");

    // Train.
    var options = Training.Options(settings);
    options.CancellationToken = cancellation;
    using var model = steps.Time("training", () => TrainingScreen.Show(options, () => Families.Fit(mlContext, split.TrainSet, options)));
    var classifier = model.OfType<ImageClassifierTransformer>().Single();

    // Evaluate on the images that were kept away, and save.
    var evaluation = steps.Time("evaluation", () => Evaluation.Of(mlContext, model, split.TestSet));
    steps.Time("saving the model", () => mlContext.Model.Save(model, images.Schema, results.ModelPath));

    // Load the model back, classify single images with it, and tell of it all.
    results.Report(new ReportData
    {
        DataName = settings.DataName,
        Kicker = $"Image classification with a {settings.Network} transformer",
        Evaluation = evaluation,
        Curve = LearningCurve.Of(classifier.History!),
        Preprocessing = classifier.Preprocessing,
        Settings = SettingsTable.Of(Training.Network(settings), options, classifier),
        Times = steps.Times,
    }, mlContext, steps);
});
