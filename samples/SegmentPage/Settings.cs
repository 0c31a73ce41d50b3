using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Samples;

namespace SegmentPageSample;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Help = """
        Cuts things out of your images with Segment Anything, on a page in your browser: click on something, and see its mask.

        Usage: dotnet run --project samples/SegmentPage -c Release -- --data FOLDER --checkpoint mobile_sam.pt

          --data FOLDER      your images, at whatever depth
          --checkpoint FILE  the network: MobileSAM's mobile_sam.pt (https://github.com/ChaoningZhang/MobileSAM), SAM's .pth
                             (https://github.com/facebookresearch/segment-anything#model-checkpoints), or a Hugging Face folder
          --port N           the page is http://localhost:N, for this machine alone (default: 5081)
          --device NAME      auto, cpu, cuda or cuda:N (default: auto)
          --help             this text
        """;

    public string Data { get; private set; } = "";
    public string Checkpoint { get; private set; } = "";
    public int Port { get; private set; } = 5081;
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
                case "--port": settings.Port = CommandLine.Number(option, value); break;
                case "--device": settings.Device = CommandLine.Text(option, value); break;
                default: throw CommandLine.Unknown(option);
            }
        }
        if (settings.Data.Length == 0 || settings.Checkpoint.Length == 0)
            throw new ArgumentException("--data and --checkpoint are needed. --help says where to get a checkpoint.");
        return settings;
    }
}
