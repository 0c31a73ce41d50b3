using System.Diagnostics;
using System.Text.Json;
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

        Contestant Side(string name, string kind) => new(name, _ => InChild(kind, checkpoint));
    }

    /// <summary>The child's work: loads once and prints the cost.</summary>
    public static void RunChild(BenchArguments arguments)
    {
        var checkpoint = arguments.Text("checkpoint", string.Empty);
        Action load = arguments.Text("kind", string.Empty) == "network" ? () => Networks.Load(checkpoint) : () => File.ReadAllBytes(checkpoint);
        var before = Process.GetCurrentProcess().WorkingSet64;
        var cost = Contestant.Measure(load, times: 1);
        var peak = Process.GetCurrentProcess().PeakWorkingSet64;
        Console.WriteLine(JsonSerializer.Serialize(cost with { Memory = (peak - before) / 1e6 }));
    }

    private static Cost InChild(string kind, string checkpoint)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Child, "--kind", kind, "--checkpoint", checkpoint, "--threads", "1"]) { RedirectStandardOutput = true };
        using var child = Process.Start(start)!;
        var answer = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return JsonSerializer.Deserialize<Cost>(answer);
    }
}
