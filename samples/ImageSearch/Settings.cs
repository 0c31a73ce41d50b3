using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Samples;

namespace ImageSearchSample;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Help = """
        Searches a folder of images by words and by likeness, on a page in your browser.

        Usage: dotnet run --project samples/ImageSearch -c Release -- --data FOLDER --checkpoint FOLDER

          --data FOLDER        your images, at whatever depth
          --checkpoint FOLDER  a published CLIP: config.json, model.safetensors, preprocessor_config.json, the tokenizer's files
          --tokenizer FOLDER   the tokenizer's folder or file, where it does not lie beside the weights
          --index FILE         keeps the images' vectors; started again, only new and changed images are read
                               (default: artifacts/image-search/index.safetensors)
          --port N             the page is http://localhost:N, for this machine alone (default: 5080)
          --device NAME        auto, cpu, cuda or cuda:N (default: auto)
          --help               this text

        Without a checkpoint, a small CLIP is first taught the handwritten digits that come with the samples and their names
        (a minute), and the page searches digits that it has not seen.
        """;

    /// <summary>Where the index goes, and the digits.</summary>
    public static string Out { get; } = Path.Combine("artifacts", "image-search");

    public string? Data { get; private set; }
    public string? Checkpoint { get; private set; }
    public string? Tokenizer { get; private set; }
    public string Index { get; private set; } = Path.Combine(Out, "index.safetensors");
    public int Port { get; private set; } = 5080;
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
                case "--tokenizer": settings.Tokenizer = CommandLine.Text(option, value); break;
                case "--index": settings.Index = CommandLine.Text(option, value); break;
                case "--port": settings.Port = CommandLine.Number(option, value); break;
                case "--device": settings.Device = CommandLine.Text(option, value); break;
                default: throw CommandLine.Unknown(option);
            }
        }
        if (settings.Data is null != settings.Checkpoint is null)
            throw new ArgumentException("--data and --checkpoint go together. --help lists the options.");
        return settings;
    }
}
