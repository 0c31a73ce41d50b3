using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console;
using ZeroShotSample;

return SampleProgram.Run<Settings>(args, (settings, cancellation) =>
{
    const int Shown = 40;

    var mlContext = new MLContext(seed: 1);
    Directory.CreateDirectory(settings.Out);

    // The network, the images and the words: yours, or digits and a small CLIP that is taught them now.
    var (checkpoint, data) = settings.Checkpoint is { } published
        ? (published, settings.Data!)
        : DigitsClip.Train(mlContext, settings.Out, settings.Device, cancellation);
    var labels = settings.Words() ?? DigitsClip.Names;
    var images = mlContext.Data.LoadImageFolder(data);

    // Nothing is learned from the images: fitting loads the network and reads the words.
    var pipeline = mlContext.Transforms.ClipZeroShot(new ClipZeroShotOptions
        {
            Checkpoint = checkpoint,
            Labels = labels,
            Templates = settings.Templates == TemplateSet.ImageNet ? ClipTemplates.ImageNet : ClipTemplates.Default,
            Device = settings.Device,
            SkipInvalidImages = true,
            CancellationToken = cancellation,
        })
        .Append(mlContext.Transforms.Conversion.MapKeyToValue("Prediction", "PredictedLabel"));
    using var model = pipeline.Fit(images);
    mlContext.Model.Save(model, images.Schema, Path.Combine(settings.Out, "model.zip"));

    var answers = mlContext.Data.CreateEnumerable<Answer>(model.Transform(images), reuseRowObject: false).ToList();
    foreach (var answer in answers.Where(answer => !answer.IsRead))
        AnsiConsole.MarkupLineInterpolated($"[yellow]cannot be read[/]: {answer.ImagePath}");
    answers.RemoveAll(answer => !answer.IsRead);
    if (answers.Count == 0)
        throw new InvalidOperationException($"No image in {data} can be read.");

    // A table of the first, all of them in a file, and a sheet to look at.
    var some = answers.Where((_, i) => i % Math.Max(1, answers.Count / Shown) == 0).Take(Shown).ToList();
    var table = new Table().AddColumns("image", "likeliest", "", "next", "");
    foreach (var answer in some.Take(12))
    {
        var best = answer.Score.Index().OrderByDescending(score => score.Item).Take(2).ToList();
        table.AddRow([Markup.Escape(Path.GetFileName(answer.ImagePath)), .. best.SelectMany(score => new[] { Markup.Escape(labels[score.Index]), $"{score.Item:P1}" })]);
    }
    AnsiConsole.Write(table);

    var file = Path.Combine(settings.Out, "answers.csv");
    File.WriteAllLines(file, ["image,answer,probability", .. answers.Select(answer =>
        string.Create(CultureInfo.InvariantCulture, $"\"{answer.ImagePath.Replace("\"", "\"\"")}\",\"{answer.Prediction.Replace("\"", "\"\"")}\",{answer.Confidence:F4}"))]);
    var sheet = Path.Combine(settings.Out, "contact-sheet.png");
    ContactSheet.Write([.. some.Select(answer => new ContactSheet.Tile(answer.ImagePath, answer.Prediction, $"{answer.Confidence:P0}", answer.Confidence))], sheet);

    // Where the folders have the names of classes, it can be said how often the answer is right.
    if (answers.TrueForAll(answer => labels.Contains(answer.Label)))
        AnsiConsole.MarkupLineInterpolated($"[bold]{answers.Average(answer => answer.Prediction == answer.Label ? 1 : 0):P1}[/] of {answers.Count} images are told as their folders are called");
    AnsiConsole.MarkupLineInterpolated($"{file}, {sheet}, {Path.Combine(settings.Out, "model.zip")}");
});
