using CleanFolderSample;
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console;

return SampleProgram.Run<Settings>(args, (settings, cancellation) =>
{
    const int MostFolders = 30;

    var mlContext = new MLContext(seed: 1);
    var vision = mlContext.Vision();
    Directory.CreateDirectory(settings.Out);

    // Every image becomes a vector: what the network sees in it.
    var paths = ImageFiles.Find(settings.Data!);
    var images = Embedder.Embed(mlContext, settings, paths, cancellation);

    // What is nearly the same: near as vectors, and alike pixel by pixel.
    var duplicates = vision.FindDuplicates(images, new DuplicateOptions
    {
        MinCosine = settings.Cosine,
        MinLikeness = settings.Likeness,
        ImageColumnName = "ImagePath",
        CancellationToken = cancellation,
    });

    // What is unlike all else, and what kinds there are.
    var outliers = vision.FindOutliers(images, cancellationToken: cancellation);
    var clusters = vision.FindClusters(images, settings.Clusters);
    var found = new Findings(Path.TrimEndingDirectorySeparator(Path.GetFullPath(settings.Data!)), duplicates, outliers, clusters);

    // A map, colored by the images' folders where there are some, else by cluster.
    var map = AnsiConsole.Progress().Start(screen =>
    {
        var bar = screen.AddTask("the map", maxValue: 1);
        return vision.MapEmbedding(images, new EmbeddingMapOptions
        {
            LabelColumnName = "Label",
            ImageColumnName = "ImagePath",
            Progress = new Progress<double>(share => bar.Value = share),
            CancellationToken = cancellation,
        });
    });
    var clusterOf = clusters.All.Index().SelectMany(cluster => cluster.Item.Rows.Select(row => (row.Id, Name: $"cluster {cluster.Index + 1:00}"))).ToDictionary(row => row.Id, row => row.Name);
    var byFolder = map.Points.Select(point => point.Label).Distinct().Count() is > 1 and <= MostFolders;
    map.SavePage(Path.Combine(settings.Out, "map.html"), Path.GetFileName(found.Folder), byFolder ? null : point => clusterOf[point.Id]);

    found.WriteCsv(Path.Combine(settings.Out, "images.csv"));
    var page = Path.Combine(settings.Out, "report.html");
    File.WriteAllText(page, CleaningPage.Of(found, settings.Odd));

    AnsiConsole.MarkupLineInterpolated($"[bold]{paths.Count:N0} images[/]: {duplicates.Groups.Count:N0} groups of near-duplicates with {duplicates.Groups.Sum(group => group.Ids.Count - 1):N0} images to spare, {outliers.LeftOut.Count:N0} that cannot be read");
    foreach (var (id, score) in outliers.Rows.Take(3))
        AnsiConsole.MarkupLineInterpolated($"odd: {found.Name(id)} ({score:0.000})");
    AnsiConsole.MarkupLineInterpolated($"{page}, {Path.Combine(settings.Out, "map.html")}, {Path.Combine(settings.Out, "images.csv")}");
});
