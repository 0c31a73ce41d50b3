using System.ComponentModel;
using Samples;
using Spectre.Console.Cli;

namespace SegmentPageSample;

/// <summary>What the command line asks for.</summary>
[Description("Cuts things out of your images with Segment Anything, on a page in your browser: click on something, and see its mask.")]
internal sealed class Settings : CommandSettings
{
    [CommandOption("--data <FOLDER>", isRequired: true), Folder]
    [Description("your images, at whatever depth")]
    public required string Data { get; init; }

    [CommandOption("--checkpoint <FILE>", isRequired: true)]
    [Description("the network: MobileSAM's mobile_sam.pt (https://github.com/ChaoningZhang/MobileSAM), SAM's .pth (https://github.com/facebookresearch/segment-anything#model-checkpoints), or a Hugging Face folder")]
    public required string Checkpoint { get; init; }

    [CommandOption("--port <N>"), DefaultValue(5081), TypeConverter(typeof(WholeNumber))]
    [Description("the page is http://localhost:N, for this machine alone")]
    public int Port { get; init; }

    [CommandOption("--device <NAME>"), DefaultValue("auto")]
    [Description("auto, cpu, cuda or cuda:N")]
    public required string Device { get; init; }
}
