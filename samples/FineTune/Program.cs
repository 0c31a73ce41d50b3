using FineTune;
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Samples;
using Samples.Report;
using Spectre.Console;

return SampleProgram.Run<Settings>(args, (settings, cancellation) =>
{
    var options = Training.Options(settings);
    var mlContext = new MLContext(settings.Seed);
    var steps = new Steps();
    var results = new Results(settings.Out);
    Directory.CreateDirectory(settings.Out);

    // The data: images in a folder per class. A fifth of them is kept away from training.
    var images = steps.Time("finding the images", () => mlContext.Data.LoadImageFolder(settings.Data));
    var split = mlContext.Data.TrainTestSplit(images, testFraction: 0.2);
    AnsiConsole.MarkupLineInterpolated($"[bold]{settings.DataName}[/]: {images.GetRowCount():N0} images, of which a fifth is held out for the test.");

    // Fine-tune.
    options.CancellationToken = cancellation;
    using var model = steps.Time("fine-tuning", () => TrainingScreen.Show(options, () => Families.Fit(mlContext, split.TrainSet, options)));
    var classifier = model.OfType<ImageClassifierTransformer>().Single();

    // Evaluate on the images that were kept away.
    var evaluation = steps.Time("evaluation", () => Evaluation.Of(mlContext, model, split.TestSet));

    // Save: the pipeline for ML.NET, and the network as a folder that other libraries load too.
    var checkpoint = Path.Combine(settings.Out, "checkpoint");
    steps.Time("saving the model", () =>
    {
        mlContext.Model.Save(model, images.Schema, results.ModelPath);
        classifier.SaveCheckpoint(checkpoint);
    });
    AnsiConsole.MarkupLineInterpolated($"Hugging Face folder {checkpoint}");

    // Load the model back, classify single images with it, and tell of it all.
    results.Report(new ReportData
    {
        DataName = settings.DataName,
        Kicker = $"{settings.CheckpointName}, fine-tuned",
        Evaluation = evaluation,
        Curve = LearningCurve.Of(classifier.History!),
        Preprocessing = classifier.Preprocessing,
        Settings = SettingsTable.Of($"from {settings.CheckpointName}", options, classifier),
        Times = steps.Times,
    }, mlContext, steps);
});
