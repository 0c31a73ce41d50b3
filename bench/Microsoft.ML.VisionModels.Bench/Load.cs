using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// A ViT-B/16 checkpoint of 346 MB to a network that is ready to score, against the bare copy of the file into memory. Each load
/// has a process of its own, so that its peak memory is its own; libtorch is loaded before the clock starts, on both sides.
/// </summary>
internal static class Load
{
    public const string Child = "load-child";

    public static void Run(BenchArguments arguments, SideBySide sideBySide)
    {
        var checkpoint = arguments.Place("checkpoint", "vit-base-patch16-224.safetensors");
        sideBySide.Run("load", Side("checkpoint to network", "network"), Side("File.ReadAllBytes", "bytes"), threads: 1, batch: 1);

        Contestant Side(string name, string kind) => Contestant.InChild(name, Child, "--kind", kind, "--checkpoint", checkpoint, "--threads", "1");
    }

    /// <summary>The child's work: loads once.</summary>
    public static void RunChild(BenchArguments arguments)
    {
        var checkpoint = arguments.Text("checkpoint", string.Empty);
        Action load = arguments.Text("kind", string.Empty) == "network" ? () => Networks.Load(checkpoint) : () => File.ReadAllBytes(checkpoint);
        Contestant.TellParent(load, times: 1);
    }
}
