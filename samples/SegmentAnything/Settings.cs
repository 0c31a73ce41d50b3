using System.ComponentModel;
using System.Globalization;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console;
using Spectre.Console.Cli;

namespace SegmentAnythingSample;

/// <summary>What the command line asks for.</summary>
[Description("""
    Cuts things out of an image with Segment Anything: writes the image with the masks over it, and a COCO file with the masks.
    For example: --checkpoint mobile_sam.pt --image truck.jpg --point 500,375

    Without points and box, everything in the image is segmented.
    """)]
internal sealed class Settings : CommandSettings
{
    private const string WhereToGet = """
        --checkpoint is needed: the network's published weights. Download one of these, and name the file or folder:
          MobileSAM, 40 MB, the quickest: mobile_sam.pt of https://github.com/ChaoningZhang/MobileSAM (in its folder "weights")
          SAM, 375 MB to 2.6 GB: sam_vit_b, sam_vit_l or sam_vit_h of https://github.com/facebookresearch/segment-anything#model-checkpoints
          or a folder such as https://huggingface.co/facebook/sam-vit-base
        """;

    [CommandOption("--checkpoint <FILE>")]
    [Description("the network: MobileSAM's mobile_sam.pt, SAM's sam_vit_b.pth (or l, h), or a Hugging Face folder")]
    public string Checkpoint { get; init; } = "";

    [CommandOption("--image <FILE>")]
    [Description("the image")]
    public string Image { get; init; } = "";

    [CommandOption("--point <X,Y>"), TypeConverter(typeof(PointConverter))]
    [Description("a point on what is meant, in pixels from the left and upper edge; as often as you like")]
    public SamPoint[] Foreground { get; init; } = [];

    [CommandOption("--not <X,Y>"), TypeConverter(typeof(PointConverter))]
    [Description("a point on what is not meant; as often as you like")]
    public SamPoint[] Background { get; init; } = [];

    [CommandOption("--box <L,T,R,B>"), TypeConverter(typeof(BoxConverter))]
    [Description("a box around what is meant: left, top, right, bottom")]
    public SamBox? Box { get; init; }

    [CommandOption("--folder <FOLDER>"), Folder]
    [Description("labels all images of a folder instead: COCO's annotations.json, and labels with data.yaml for YOLO; stopped and started again, it goes on where it was")]
    public string? Folder { get; init; }

    [CommandOption("--grid <N>"), DefaultValue(32), TypeConverter(typeof(WholeNumber))]
    [Description("points per side that are asked about where there are no prompts; fewer are faster and find less")]
    public int Grid { get; init; }

    [CommandOption("--out <FOLDER>"), DefaultValue("artifacts/segment-anything")]
    [Description("where the results go")]
    public required string Out { get; init; }

    [CommandOption("--device <NAME>"), DefaultValue("auto")]
    [Description("auto, cpu, cuda or cuda:N")]
    public required string Device { get; init; }

    public IReadOnlyList<SamPoint> Points => [.. Foreground, .. Background.Select(point => point with { IsForeground = false })];

    /// <summary>Whether something is pointed at.</summary>
    public bool HasPrompt => Points.Count > 0 || Box is not null;

    public override ValidationResult Validate()
    {
        if (Checkpoint.Length == 0)
            return ValidationResult.Error(WhereToGet);
        if (Folder is null == (Image.Length == 0))
            return ValidationResult.Error("--image or --folder is needed, and not both. --help lists the options.");
        if (Folder is not null && HasPrompt)
            return ValidationResult.Error("Points and boxes are for one --image; in a --folder everything is segmented.");
        if (Box is null && Background.Length > 0 && Foreground.Length == 0)
            return ValidationResult.Error("--not says what is not meant; a --point or a --box has to say what is.");
        return ValidationResult.Success();
    }

    private static float[] Numbers(object text, int count)
    {
        var numbers = ((string)text).Split(',').Select(part => float.TryParse(part, CultureInfo.InvariantCulture, out var number) ? number : float.NaN).ToArray();
        return numbers.Length == count && numbers.All(float.IsFinite) ? numbers : throw new FormatException($"'{text}' is not {count} numbers with commas between.");
    }

    private sealed class PointConverter : TypeConverter
    {
        public override object ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value)
        {
            var place = Numbers(value, 2);
            return new SamPoint(place[0], place[1]);
        }
    }

    private sealed class BoxConverter : TypeConverter
    {
        public override object ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value)
        {
            var sides = Numbers(value, 4);
            return new SamBox(sides[0], sides[1], sides[2], sides[3]);
        }
    }
}
