using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Samples;
using SelfSupervised;
using Spectre.Console;

return SampleProgram.Run<Settings>(args, (settings, cancellation) =>
{
    const int Shown = 10, Neighbors = 7;

    var mlContext = new MLContext(seed: 1);
    Directory.CreateDirectory(settings.Out);
    var folder = settings.Data ?? Digits.Unpack(Path.Combine(settings.Out, "digits"));
    var images = mlContext.Data.LoadImageFolder(folder);
    var hasClasses = Directory.EnumerateDirectories(folder).Count() > 1;

    // A fifth is kept away: of the labels, if there are any, the features are told nothing.
    var split = mlContext.Data.TrainTestSplit(images, testFraction: 0.2);
    var options = settings.Options(hasClasses, cancellation);
    using var model = TrainingScreen.Show(options, () => mlContext.Transforms.SslFeaturizer(options).Fit(split.TrainSet));
    var modelPath = Path.Combine(settings.Out, "model.zip");
    mlContext.Model.Save(model, images.Schema, modelPath);
    model.SaveCheckpoint(Path.Combine(settings.Out, "checkpoint"));

    // How well do they tell classes that they have not been told?
    if (hasClasses)
    {
        var metrics = mlContext.Vision().EvaluateEmbedding(model.Transform(split.TrainSet), model.Transform(split.TestSet));
        AnsiConsole.MarkupLineInterpolated($"Of {metrics.Count} held-out images [bold]{metrics.KnnAccuracy:P1}[/] have the class that their nearest neighbors vote for, and [bold]{metrics.LinearAccuracy:P1}[/] the one that a linear layer says.");
        AnsiConsole.MarkupLineInterpolated($"The features differ in {metrics.EffectiveRank:F0} directions.");
    }

    // The features, for whatever comes next.
    var rows = mlContext.Data.CreateEnumerable<Row>(model.Transform(split.TestSet), reuseRowObject: false, ignoreMissingColumns: true).ToList();
    var features = Path.Combine(settings.Out, "features.csv");
    File.WriteAllLines(features, rows.Select(row => $"\"{row.ImagePath.Replace("\"", "\"\"")}\"," + string.Join(",", row.Embedding.Select(value => value.ToString("G6", CultureInfo.InvariantCulture)))));

    // A map of the images, and a sheet on which each row is an image and those that are most like it.
    var map = Path.Combine(settings.Out, "map.html");
    mlContext.Vision().MapEmbedding(model.Transform(split.TestSet), hasClasses ? "Label" : null, "ImagePath").SavePage(map, $"{settings.Method}: images by their features");
    var index = EmbeddingIndex.FromRows(model.Transform(split.TestSet), out _);
    var sheet = Path.Combine(settings.Out, "neighbors.png");
    ContactSheet.Write([.. rows.Where((_, i) => i % Math.Max(1, rows.Count / Shown) == 0).Take(Shown)
        .SelectMany(row => index.Search(row.Embedding, top: Neighbors + 1))
        .Select(match => new ContactSheet.Tile(match.Id, hasClasses ? Path.GetFileName(Path.GetDirectoryName(match.Id))! : Path.GetFileName(match.Id), $"{match.Score:F2}", (float)match.Score))], sheet, Neighbors + 1);
    AnsiConsole.MarkupLineInterpolated($"{map}, {sheet}, {features}, {modelPath}; {Path.Combine(settings.Out, "checkpoint")} is what a classifier starts from.");
});

/// <summary>An image and its features.</summary>
internal sealed class Row
{
    public string ImagePath { get; set; } = "";
    public float[] Embedding { get; set; } = [];
}
