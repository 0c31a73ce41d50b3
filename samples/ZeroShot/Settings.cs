using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Checkpoints;
using Samples;

namespace ZeroShotSample;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Help = """
        Classifies a folder of images with words: prints a table, and writes answers.csv and a contact sheet.

        Usage: dotnet run --project samples/ZeroShot -c Release -- --data FOLDER --checkpoint FOLDER --labels "cat, dog, fire engine"

          --data FOLDER        your images
          --checkpoint FOLDER  a published CLIP: config.json, model.safetensors, preprocessor_config.json, the tokenizer's files
          --labels WORDS       the classes, with commas between; or a file with one in each line
          --templates WHICH    Default ("a photo of a ...") or ImageNet (the paper's 80 sentences; slower to start) (default: Default)
          --out FOLDER         where the results go (default: artifacts/zero-shot)
          --device NAME        auto, cpu, cuda or cuda:N (default: auto)
          --help               this text

        Without a checkpoint, a small CLIP is first taught the handwritten digits that come with this sample and their names
        (a minute), and then tells digits that it has not seen.
        """;

    public string? Data { get; private set; }
    public string? Checkpoint { get; private set; }
    public IReadOnlyList<string>? Labels { get; private set; }
    public bool AllTemplates { get; private set; }
    public string Out { get; private set; } = Path.Combine("artifacts", "zero-shot");
    public string Device { get; private set; } = "auto";

    /// <exception cref="ArgumentException">An option is unknown, or its value is missing or wrong.</exception>
    public static Settings Parse(string[] args)
    {
        var settings = new Settings();
        foreach (var (option, value) in CommandLine.Pairs(args))
        {
            switch (option)
            {
                case "--data": settings.Data = CommandLine.Folder(option, value); break;
                case "--checkpoint": settings.Checkpoint = CommandLine.Text(option, value); break;
                case "--labels": settings.Labels = Words(CommandLine.Text(option, value)); break;
                case "--templates": settings.AllTemplates = CommandLine.OneOf<TemplateSet>(option, value) == TemplateSet.ImageNet; break;
                case "--out": settings.Out = CommandLine.Text(option, value); break;
                case "--device": settings.Device = CommandLine.Text(option, value); break;
                default: throw CommandLine.Unknown(option);
            }
        }
        if (new object?[] { settings.Data, settings.Checkpoint, settings.Labels }.Count(value => value is null) is 1 or 2)
            throw new ArgumentException("--data, --checkpoint and --labels go together. --help lists the options.");
        return settings;
    }

    private static string[] Words(string text) => File.Exists(text)
        ? [.. File.ReadLines(text).Select(line => line.Trim()).Where(line => line.Length > 0)]
        : text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private enum TemplateSet
    {
        Default,
        ImageNet,
    }
}
