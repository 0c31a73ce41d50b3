using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console;
using SweepSample;

return SampleProgram.Run<Settings>(args, (settings, cancellation) =>
{
    var mlContext = new MLContext(settings.Seed);
    Directory.CreateDirectory(settings.Out);

    // The data: images in a folder per class. A fifth is kept for the test; of the rest, a fifth scores the trials.
    var images = mlContext.Data.LoadImageFolder(settings.Data ?? Digits.Unpack(Path.Combine(settings.Out, "digits")));
    var test = mlContext.Data.TrainTestSplit(images, testFraction: 0.2);
    var split = mlContext.Data.TrainTestSplit(test.TrainSet, testFraction: 0.2);

    // What is searched: two families, and for each the options that its class declares, but for what is fixed here.
    var isDigits = settings.Data is null;
    var vit = SweepCandidate.Of((ViTClassifierOptions options) => Pipeline(options), "ViT").Fix(o => o.Epochs, settings.Epochs).Leave(o => o.Preset, o => o.LayerDecay);
    var swin = SweepCandidate.Of((SwinClassifierOptions options) => Pipeline(options), "Swin").Fix(o => o.Epochs, settings.Epochs).Leave(o => o.Preset, o => o.LayerDecay);
    if (isDigits)
    {
        // 8 x 8 pixels, and no digit that is mirrored.
        vit.Fix(o => o.ImageSize, 16).Fix(o => o.PatchSize, 4).Fix(o => o.HorizontalFlip, false);
        swin.Fix(o => o.ImageSize, 16).Fix(o => o.HorizontalFlip, false);
    }

    // Search.
    var sweep = new SweepOptions
    {
        Minutes = settings.Minutes,
        Trials = settings.Trials,
        Sampler = settings.Sampler,
        Pruner = settings.Pruner,
        Workers = settings.Workers,
        Storage = settings.Storage,
        Study = isDigits ? "Handwritten digits" : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(settings.Data!))),
        ModelPath = Path.Combine(settings.Out, "model.zip"),
        CancellationToken = cancellation,
    };
    using var result = SweepScreen.Show(sweep, () => mlContext.Vision().Sweep(sweep, vit, swin).Run(split.TrainSet, split.TestSet));

    // Tell of it, and test the best model on images that had no part in anything so far.
    result.Study.WriteReport(Path.Combine(settings.Out, "report.html"));
    result.Study.WriteCsv(Path.Combine(settings.Out, "trials.csv"));
    if (result.Best is not { } best)
        throw new InvalidOperationException("No trial came to its end: give the search more --minutes.");
    AnsiConsole.MarkupLineInterpolated($"best: trial {best.Number}, {best.Candidate}, {string.Join(", ", best.Parameters.Select(parameter => $"{parameter.Key} {parameter.Value:G4}"))}");
    var model = result.Model ?? result.Refit(split.TrainSet);     // an earlier run may have had it
    var accuracy = mlContext.MulticlassClassification.EvaluateImageClassifier(model.Transform(test.TestSet)).Top1Accuracy;
    AnsiConsole.MarkupLineInterpolated($"[bold]validation {best.Score:P1}, test {accuracy:P1}[/]; {sweep.ModelPath}, {Path.Combine(settings.Out, "report.html")}, {Path.Combine(settings.Out, "trials.csv")}");

    // As in every pipeline of ML.NET: the labels become keys, the classifier learns, its answer becomes text again.
    IEstimator<ITransformer> Pipeline(ImageClassifierOptions options)
    {
        options.ImageColumnName = "ImagePath";
        return Families.Pipeline(mlContext, options);
    }
});
