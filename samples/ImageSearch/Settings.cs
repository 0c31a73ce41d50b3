using System.ComponentModel;
using Samples;
using Spectre.Console;
using Spectre.Console.Cli;

namespace ImageSearchSample;

/// <summary>What the command line asks for.</summary>
[Description("""
    Searches a folder of images by words and by likeness, on a page in your browser.

    Without a checkpoint, a small CLIP is first taught the handwritten digits that come with the samples and their names (a minute), and the page searches digits that it has not seen.
    """)]
internal sealed class Settings : CommandSettings
{
    /// <summary>Where the index goes, and the digits.</summary>
    public const string Out = "artifacts/image-search";

    [CommandOption("--data <FOLDER>"), Folder]
    [Description("your images, at whatever depth")]
    public string? Data { get; init; }

    [CommandOption("--checkpoint <FOLDER>")]
    [Description("a published CLIP: config.json, model.safetensors, preprocessor_config.json, the tokenizer's files")]
    public string? Checkpoint { get; init; }

    [CommandOption("--tokenizer <FOLDER>")]
    [Description("the tokenizer's folder or file, where it does not lie beside the weights")]
    public string? Tokenizer { get; init; }

    [CommandOption("--index <FILE>"), DefaultValue($"{Out}/index.safetensors")]
    [Description("keeps the images' vectors; started again, only new and changed images are read")]
    public required string Index { get; init; }

    [CommandOption("--port <N>"), DefaultValue(5080), TypeConverter(typeof(WholeNumber))]
    [Description("the page is http://localhost:N, for this machine alone")]
    public int Port { get; init; }

    [CommandOption("--device <NAME>"), DefaultValue("auto")]
    [Description("auto, cpu, cuda or cuda:N")]
    public required string Device { get; init; }

    public override ValidationResult Validate() => Data is null != Checkpoint is null
        ? ValidationResult.Error("--data and --checkpoint go together. --help lists the options.")
        : ValidationResult.Success();
}
