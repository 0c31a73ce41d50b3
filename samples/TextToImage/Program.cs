using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console;
using TextToImage;

return SampleProgram.Run<Settings>(args, (settings, cancellation) =>
{
    var mlContext = new MLContext(seed: 1);
    Directory.CreateDirectory(settings.Out);
    var digits = settings.Model is null || settings.Check ? Digits.Unpack(Path.Combine(settings.Out, "digits")) : null;
    using var model = settings.Model is null ? Train() : Load(settings.Model);
    if (settings.Model is null)
        mlContext.Model.Save(model, null, Path.Combine(settings.Out, "model.zip"));

    // Each prompt with as many seeds. A row's image depends on its prompt and seed alone.
    string[] prompts = settings.Prompt is { } prompt ? [prompt] : [.. Captions.Words.Select(Captions.Of)];
    var requests = prompts.SelectMany(prompt => Enumerable.Range(0, settings.Count).Select(i => new Request { Caption = prompt, Negative = settings.Negative ?? "", Seed = settings.Seed + i })).ToArray();
    var images = new List<(string Path, Request Request)>();
    foreach (var (i, row) in mlContext.Data.CreateEnumerable<Generated>(model.Transform(mlContext.Data.LoadFromEnumerable(requests)), reuseRowObject: false, ignoreMissingColumns: true).Index())
    {
        cancellation.ThrowIfCancellationRequested();
        using var image = row.GeneratedImage!;
        images.Add((Path.Combine(settings.Out, "images", $"{i:000}.png"), requests[i]));
        VisionImage.SavePng(image, images[^1].Path, new Dictionary<string, string> { ["parameters"] = image.Tag });     // so that it can be made again
    }
    var sheet = Path.Combine(settings.Out, "images.png");
    ContactSheet.Write([.. images.Select(image => new ContactSheet.Tile(image.Path, settings.Model is null ? image.Request.Caption.Split(' ')[^1] : image.Request.Caption, $"seed {image.Request.Seed}", 0))], sheet, Math.Min(settings.Count, 10));
    AnsiConsole.MarkupLineInterpolated($"{images.Count} images: {sheet}; each file says how it was made.");
    if (settings.Check)
        Check();

    DiffusionTransformer Train()
    {
        var rows = Directory.EnumerateFiles(digits!, "*.png", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => new Captioned { Image = file, Caption = Captions.Of(Captions.Words[int.Parse(Path.GetFileName(Path.GetDirectoryName(file))!)]) });
        var options = new DiffusionTrainerOptions
        {
            CaptionColumnName = nameof(Captioned.Caption), SeedColumnName = nameof(Request.Seed), ImageSize = 8, Epochs = settings.Epochs, Device = settings.Device, Precision = settings.Precision,
            Sampling = settings.Sampling, PreviewRows = [.. Captions.Words.Select(Captions.Of)], PreviewEpochs = Math.Max(1, settings.Epochs / 8), Previews = new PreviewSheet(settings.Out),
            CancellationToken = cancellation,
        };
        return TrainingScreen.Show(options, () => mlContext.Transforms.DiffusionTrainer(options).Fit(mlContext.Data.LoadFromEnumerable(rows)));
    }

    DiffusionTransformer Load(string path) => mlContext.Transforms.DiffusionGenerator(new DiffusionGeneratorOptions
    {
        Checkpoint = path, PromptColumnName = nameof(Request.Caption), NegativePromptColumnName = nameof(Request.Negative), SeedColumnName = nameof(Request.Seed), Sampling = settings.Sampling,
        Precision = settings.Precision, Device = settings.Device, ScoringBatchSize = 1, CancellationToken = cancellation,
    }).Fit(mlContext.Data.LoadFromEnumerable(new[] { new Request() }));

    // Somebody else looks at the images: a classifier that knows the real digits.
    void Check()
    {
        using var classifier = mlContext.Transforms.ViTClassifier(new ViTClassifierOptions
        {
            ImageColumnName = "Image", ImageSize = 16, PatchSize = 4, Epochs = 50, BatchSize = 32, EarlyStoppingPatience = 0, LabelSmoothing = 0.1, CropPadding = 1, Device = settings.Device, CancellationToken = cancellation,
        }).Fit(mlContext.Data.LoadImageFolder(digits!));
        var seen = classifier.Transform(mlContext.Data.LoadFromEnumerable(images.Select(image => new Captioned { Image = image.Path })));
        var answers = mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(seen).Transform(seen).GetColumn<string>("PredictedLabel");
        var agreed = answers.Zip(images).Count(pair => Captions.Of(Captions.Words[int.Parse(pair.First)]) == pair.Second.Request.Caption);
        AnsiConsole.MarkupLineInterpolated($"A classifier of real digits agrees with the words in [bold]{agreed} of {images.Count}[/].");
    }
});

/// <summary>What is said of the digits.</summary>
internal static class Captions
{
    public static readonly string[] Words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

    public static string Of(string digit) => $"a handwritten {digit}";
}

/// <summary>An image to learn from.</summary>
internal sealed class Captioned
{
    public string Image { get; set; } = "";
    public string Caption { get; set; } = "";
}

/// <summary>What is wanted.</summary>
internal sealed class Request
{
    public string Caption { get; set; } = "";
    public string Negative { get; set; } = "";
    public long Seed { get; set; }
}

/// <summary>What is made.</summary>
internal sealed class Generated
{
    public MLImage? GeneratedImage { get; set; }
}
