using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Samples;

namespace SegmentAnythingSample;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Help = """
        Cuts things out of an image with Segment Anything: writes the image with the masks over it, and a COCO file with the masks.

        Usage: dotnet run --project samples/SegmentAnything -c Release -- --checkpoint mobile_sam.pt --image truck.jpg --point 500,375

          --checkpoint FILE    the network: MobileSAM's mobile_sam.pt, SAM's sam_vit_b.pth (or l, h), or a Hugging Face folder
          --image FILE       the image
          --point X,Y          a point on what is meant, in pixels from the left and upper edge; as often as you like
          --not X,Y            a point on what is not meant; as often as you like
          --box L,T,R,B        a box around what is meant: left, top, right, bottom
          --folder FOLDER      labels all images of a folder instead: COCO's annotations.json, and labels with data.yaml for YOLO;
                               stopped and started again, it goes on where it was
          --grid N             points per side that are asked about where there are no prompts; fewer are faster and find less (default: 32)
          --out FOLDER         where the results go (default: artifacts/segment-anything)
          --device NAME        auto, cpu, cuda or cuda:N (default: auto)
          --help               this text

        Without points and box, everything in the image is segmented.
        """;

    private const string WhereToGet = """
        --checkpoint is needed: the network's published weights. Download one of these, and name the file or folder:
          MobileSAM, 40 MB, the quickest: mobile_sam.pt of https://github.com/ChaoningZhang/MobileSAM (in its folder "weights")
          SAM, 375 MB to 2.6 GB: sam_vit_b, sam_vit_l or sam_vit_h of https://github.com/facebookresearch/segment-anything#model-checkpoints
          or a folder such as https://huggingface.co/facebook/sam-vit-base
        """;

    private readonly List<SamPoint> _points = [];

    public string Checkpoint { get; private set; } = "";
    public string Image { get; private set; } = "";
    public string? Folder { get; private set; }
    public IReadOnlyList<SamPoint> Points => _points;
    public SamBox? Box { get; private set; }
    public int Grid { get; private set; } = 32;
    public string Out { get; private set; } = Path.Combine("artifacts", "segment-anything");
    public string Device { get; private set; } = "auto";

    /// <summary>Whether something is pointed at.</summary>
    public bool HasPrompt => Points.Count > 0 || Box is not null;

    /// <exception cref="ArgumentException">An option is unknown, or its value is missing or wrong.</exception>
    public static Settings Parse(string[] args)
    {
        var settings = new Settings();
        foreach (var (option, value) in CommandLine.Pairs(args))
        {
            switch (option)
            {
                case "--checkpoint": settings.Checkpoint = CommandLine.Text(option, value); break;
                case "--image": settings.Image = CommandLine.Text(option, value); break;
                case "--folder": settings.Folder = CommandLine.Folder(option, value); break;
                case "--point" or "--not":
                    var place = CommandLine.Numbers(option, value, 2);
                    settings._points.Add(new(place[0], place[1], IsForeground: option == "--point"));
                    break;
                case "--box":
                    var sides = CommandLine.Numbers(option, value, 4);
                    settings.Box = new(sides[0], sides[1], sides[2], sides[3]);
                    break;
                case "--grid": settings.Grid = CommandLine.Number(option, value); break;
                case "--out": settings.Out = CommandLine.Text(option, value); break;
                case "--device": settings.Device = CommandLine.Text(option, value); break;
                default: throw CommandLine.Unknown(option);
            }
        }
        if (settings.Checkpoint.Length == 0)
            throw new ArgumentException(WhereToGet);
        if (settings.Folder is null == (settings.Image.Length == 0))
            throw new ArgumentException("--image or --folder is needed, and not both. --help lists the options.");
        if (settings.Folder is not null && settings.HasPrompt)
            throw new ArgumentException("Points and boxes are for one --image; in a --folder everything is segmented.");
        if (settings.Box is null && settings.Points.Count > 0 && settings.Points.All(point => !point.IsForeground))
            throw new ArgumentException("--not says what is not meant; a --point or a --box has to say what is.");
        return settings;
    }
}
