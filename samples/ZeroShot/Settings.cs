using System.ComponentModel;
using System.Text;
using Samples;
using Spectre.Console;
using Spectre.Console.Cli;

namespace ZeroShotSample;

/// <summary>What the command line asks for.</summary>
[Description("""
    Classifies a folder of images with words: prints a table, and writes answers.csv and a contact sheet.
    For example: --data FOLDER --checkpoint FOLDER --labels "cat, dog, fire engine"

    Without a checkpoint, a small CLIP is first taught the handwritten digits that come with this sample and their names (a minute), and then tells digits that it has not seen.
    """)]
internal sealed class Settings : CommandSettings
{
    [CommandOption("--data <FOLDER>"), Folder]
    [Description("your images")]
    public string? Data { get; init; }

    [CommandOption("--checkpoint <FOLDER>")]
    [Description("a published CLIP: config.json, model.safetensors, preprocessor_config.json, the tokenizer's files")]
    public string? Checkpoint { get; init; }

    [CommandOption("--labels <WORDS>")]
    [Description("the classes, with commas between; or a file with one in each line")]
    public string? Labels { get; init; }

    [CommandOption("--templates <WHICH>"), DefaultValue(TemplateSet.Default), TypeConverter(typeof(OneOf<TemplateSet>))]
    [Description("Default (\"a photo of a ...\") or ImageNet (the paper's 80 sentences; slower to start)")]
    public TemplateSet Templates { get; init; }

    [CommandOption("--out <FOLDER>"), DefaultValue("artifacts/zero-shot")]
    [Description("where the results go")]
    public required string Out { get; init; }

    [CommandOption("--device <NAME>"), DefaultValue("auto")]
    [Description("auto, cpu, cuda or cuda:N")]
    public required string Device { get; init; }

    public override ValidationResult Validate() => new[] { Data, Checkpoint, Labels }.Count(value => value is null) is 1 or 2
        ? ValidationResult.Error("--data, --checkpoint and --labels go together. --help lists the options.")
        : ValidationResult.Success();

    /// <summary>The classes; null where none are named.</summary>
    public IReadOnlyList<string>? Words() => Labels is null ? null
        : File.Exists(Labels) ? [.. Lines(Labels).Select(line => line.Trim()).Where(line => line.Length > 0)]
        : Labels.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        }
        catch (DecoderFallbackException e)
        {
            throw new ArgumentException($"{file} is no text in UTF-8; save it as that. {e.Message}", e);
        }
    }
}

/// <summary>The sentences that a label is put into.</summary>
internal enum TemplateSet
{
    Default,
    ImageNet,
}
