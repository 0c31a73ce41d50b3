using System.Globalization;
using Microsoft.ML.VisionModels;

namespace ImageClassification;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Help = """
        Trains a Vision Transformer on pictures, evaluates it on held-out ones, and writes model.zip and report.html.

        Usage: dotnet run --project samples/ImageClassification -c Release [-- options]

          --data FOLDER        your pictures, one folder per class (default: handwritten digits that come with the sample)
          --out FOLDER         where the results go (default: artifacts/image-classification)
          --checkpoint PATH    start from these weights: a Hugging Face folder or a .safetensors, .pt or .pth file
          --preset NAME        size of the network, such as Tiny16 (default: SmallImage, or what the checkpoint's folder says)
          --epochs N           passes over the training pictures
          --batch-size N       pictures per training step
          --image-size N       side of the square, in pixels, that pictures are resized to
          --patch-size N       side of a patch, in pixels
          --device NAME        auto, cpu, cuda or cuda:N (default: auto)
          --seed N             a number that fixes everything random (default: 1)
          --help               this text
        """;

    public string? Data { get; private set; }
    public string Out { get; private set; } = Path.Combine("artifacts", "image-classification");
    public string? Checkpoint { get; private set; }
    public ViTPreset Preset { get; private set; } = ViTPreset.SmallImage;
    public int? Epochs { get; private set; }
    public int? BatchSize { get; private set; }
    public int? ImageSize { get; private set; }
    public int? PatchSize { get; private set; }
    public string Device { get; private set; } = "auto";
    public int Seed { get; private set; } = 1;

    public string DataName => Data is null ? "Handwritten digits" : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Data)));
    public string ModelPath => Path.Combine(Out, "model.zip");
    public string ReportPath => Path.Combine(Out, "report.html");

    /// <exception cref="ArgumentException">An option is unknown, or its value is missing or wrong.</exception>
    public static Settings Parse(string[] args)
    {
        var settings = new Settings();
        for (var i = 0; i < args.Length; i += 2)
        {
            var (option, value) = (args[i], i + 1 < args.Length ? args[i + 1] : null);
            switch (option)
            {
                case "--data": settings.Data = Folder(option, value); break;
                case "--out": settings.Out = Text(option, value); break;
                case "--checkpoint": settings.Checkpoint = Text(option, value); break;
                case "--preset": settings.Preset = OneOfPresets(option, value); break;
                case "--epochs": settings.Epochs = Number(option, value); break;
                case "--batch-size": settings.BatchSize = Number(option, value); break;
                case "--image-size": settings.ImageSize = Number(option, value); break;
                case "--patch-size": settings.PatchSize = Number(option, value); break;
                case "--device": settings.Device = Text(option, value); break;
                case "--seed": settings.Seed = Number(option, value); break;
                default: throw new ArgumentException($"Unknown option '{option}'. --help lists the options.");
            }
        }

        return settings;
    }

    private static string Text(string option, string? value) =>
        value ?? throw new ArgumentException($"{option} needs a value. --help lists the options.");

    private static string Folder(string option, string? value) =>
        Directory.Exists(Text(option, value)) ? value! : throw new ArgumentException($"{option}: there is no folder '{value}'.");

    private static ViTPreset OneOfPresets(string option, string? value) =>
        Enum.TryParse<ViTPreset>(Text(option, value), ignoreCase: true, out var preset) && Enum.IsDefined(preset)
            ? preset
            : throw new ArgumentException($"{option}: '{value}' is none of {string.Join(", ", Enum.GetNames<ViTPreset>())}.");

    private static int Number(string option, string? value) =>
        int.TryParse(Text(option, value), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new ArgumentException($"{option} needs a whole number above 0, not '{value}'.");
}
