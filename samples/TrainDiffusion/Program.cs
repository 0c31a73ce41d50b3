using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console;
using TrainDiffusion;

return SampleProgram.Run<Settings>(args, (settings, cancellation) =>
{
    const int Shown = 8;

    var mlContext = new MLContext(seed: 1);
    Directory.CreateDirectory(settings.Out);
    var folder = settings.Data ?? Digits.Unpack(Path.Combine(settings.Out, "digits"));
    var images = mlContext.Data.LoadImageFolder(folder);
    string[] classes = [.. Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
    var byClass = classes.Length > 1;

    var denoising = new Denoising();
    var options = new DiffusionTrainerOptions
    {
        ImageColumnName = "ImagePath",
        LabelColumnName = byClass ? "Label" : null,
        SeedColumnName = nameof(Request.Seed),
        ImageSize = settings.ImageSize ?? (settings.Data is null ? 8 : null),
        Epochs = settings.Epochs,
        BatchSize = settings.BatchSize,
        Channels = settings.Channels,
        Prediction = settings.Prediction,
        HorizontalFlip = settings.Flip,
        Autoencoder = settings.Autoencoder,
        Sampling = new() { Steps = settings.Steps, GuidanceScale = byClass ? 2 : 1, Progress = denoising, PreviewSteps = Math.Max(1, settings.Steps / 10) },
        // The same noise after several epochs: one sees how the images come about.
        PreviewRows = byClass ? [.. classes.Take(Shown)] : [.. Enumerable.Repeat("", Shown)],
        PreviewEpochs = Math.Max(1, settings.Epochs / 8),
        Previews = new PreviewSheet(settings.Out),
        SnapshotFolder = Path.Combine(settings.Out, "snapshots"),
        Device = settings.Device,
        CancellationToken = cancellation,
    };
    if (!settings.Resume && Directory.Exists(options.SnapshotFolder))
        Directory.Delete(options.SnapshotFolder, recursive: true);
    using var model = TrainingScreen.Show(options, () => mlContext.Transforms.DiffusionTrainer(options).Fit(images));
    mlContext.Model.Save(model, images.Schema, Path.Combine(settings.Out, "model.zip"));

    // What is wanted: of each class some, each of another seed. A row's image depends on its class and seed alone.
    string[] wanted = byClass ? classes : [.. Enumerable.Repeat("", Shown)];
    var requests = wanted.SelectMany((name, c) => Enumerable.Range(0, settings.Count).Select(i => new Request { Label = name, Seed = byClass ? i : c * settings.Count + i })).ToArray();
    var tiles = new List<ContactSheet.Tile>();
    foreach (var (i, row) in mlContext.Data.CreateEnumerable<Generated>(model.Transform(mlContext.Data.LoadFromEnumerable(requests)), reuseRowObject: false, ignoreMissingColumns: true).Index())
    {
        cancellation.ThrowIfCancellationRequested();
        using var image = row.GeneratedImage!;
        tiles.Add(new(Save(image, "images", $"{i:000}"), requests[i].Label, $"seed {requests[i].Seed}", 0));
    }
    ContactSheet.Write(tiles, Path.Combine(settings.Out, "images.png"), settings.Count * Math.Max(1, 8 / settings.Count));

    // The first image of some classes, as the network takes it for step by step: a row each.
    var shown = Enumerable.Range(0, Math.Min(Shown, wanted.Length)).Select(i => requests[i * settings.Count]).ToArray();
    denoising.Shows = true;
    foreach (var row in model.Transform(mlContext.Data.LoadFromEnumerable(shown)).GetColumn<MLImage>("GeneratedImage"))
        row.Dispose();
    ContactSheet.Write([.. denoising.Steps.Select((step, i) => new ContactSheet.Tile(Save(step.Image, "denoising", $"{i:000}"), $"step {step.Step}", shown[step.Row].Label, (float)step.Step / settings.Steps))],
        Path.Combine(settings.Out, "denoising.png"), denoising.Steps.Count(step => step.Row == 0));
    AnsiConsole.MarkupLineInterpolated($"{settings.Out}: images.png, preview.png (epoch by epoch), denoising.png (step by step), model.zip.");

    string Save(MLImage image, string kind, string name)
    {
        var path = Path.Combine(settings.Out, kind, $"{name}.png");
        VisionImage.SavePng(image, path, image.Tag is { Length: > 0 } how ? new Dictionary<string, string> { ["parameters"] = how } : null);
        return path;
    }
});

/// <summary>Keeps what images look like on their way.</summary>
internal sealed class Denoising : IProgress<DiffusionProgress>
{
    public bool Shows { get; set; }

    public List<(int Row, int Step, MLImage Image)> Steps { get; } = [];

    public void Report(DiffusionProgress value)
    {
        foreach (var (i, image) in value.Previews.Index())
        {
            if (Shows)
                Steps.Add(((int)value.FirstRow + i, value.Step, image));
            else
                image.Dispose();
        }
    }
}

/// <summary>What is wanted.</summary>
internal sealed class Request
{
    public string Label { get; set; } = "";
    public long Seed { get; set; }
}

/// <summary>What is made.</summary>
internal sealed class Generated
{
    public MLImage? GeneratedImage { get; set; }
}
