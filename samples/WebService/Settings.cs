using System.ComponentModel;
using Samples;
using Spectre.Console;
using Spectre.Console.Cli;

namespace WebServiceSample;

/// <summary>What the command line asks for.</summary>
[Description("Classifies images that are posted to http://localhost:N/classify with a model that samples/ImageClassification, FineTune or ZeroShot has saved.")]
internal sealed class Settings : CommandSettings
{
    [CommandOption("--model <FILE>"), DefaultValue("artifacts/image-classification/model.zip")]
    [Description("the saved model; by default the digits of samples/ImageClassification")]
    public required string Model { get; init; }

    [CommandOption("--megabytes <N>"), DefaultValue(10), TypeConverter(typeof(WholeNumber))]
    [Description("how large an image's file may be")]
    public int Megabytes { get; init; }

    [CommandOption("--port <N>"), DefaultValue(5082), TypeConverter(typeof(WholeNumber))]
    [Description("where it listens, for this machine alone")]
    public int Port { get; init; }

    public override ValidationResult Validate() => File.Exists(Model)
        ? ValidationResult.Success()
        : ValidationResult.Error($"--model: there is no file '{Model}'. samples/ImageClassification writes one.");
}
