using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// Stable Diffusion 1.5 whole, as a user runs it: how long its folder takes to load, a step, and the last look at the image, and how much memory
/// at the peak, by precision and with the autoencoder in tiles. Each way has a process of its own.
/// </summary>
internal static class StableDiffusion
{
    public const string Child = "sd15-child";

    /// <summary>What a way of making an image costs.</summary>
    /// <param name="Load">Seconds of processor time from the folder to a model.</param>
    /// <param name="LoadPeak">The most megabytes of the process by then.</param>
    /// <param name="Step">Seconds of a step, the median of all but the first.</param>
    /// <param name="StepsPeak">The most megabytes by the last step.</param>
    /// <param name="Decode">Seconds from the last step to the image.</param>
    /// <param name="Peak">The most megabytes in the end.</param>
    private sealed record Costs(double Load, double LoadPeak, double Step, double StepsPeak, double Decode, double Peak);

    public static void Run(BenchArguments arguments, ResultsFile results)
    {
        var size = arguments.Number("size", 512);
        var measured = new Dictionary<string, Costs>();
        foreach (var way in arguments.Text("ways", "float32,float32-tiles,bfloat16,bfloat16-tiles").Split(','))
        {
            var costs = measured[way] = InChild(arguments, way, size);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{way}: loads in {costs.Load:F1} s ({costs.LoadPeak:F0} MB), a step {costs.Step:F1} s ({costs.StepsPeak:F0} MB), decodes in {costs.Decode:F1} s of processor time; {costs.Peak:F0} MB at the peak"));
            if (way == "float32" || !measured.TryGetValue("float32", out var plain))
                continue;
            Add("load CPU s", costs.Load, plain.Load);
            Add("step CPU s", costs.Step, plain.Step);
            Add("decode CPU s", costs.Decode, plain.Decode);
            Add("peak MB", costs.Peak, plain.Peak);

            void Add(string unit, double value, double peer) => results.Add(new($"stable-diffusion-1.5 ({size} x {size})", way, "float32", unit, value, peer, arguments.Threads[0], Batch: 1));
        }
    }

    /// <summary>Makes an image, and tells the parent.</summary>
    public static void RunChild(BenchArguments arguments)
    {
        set_num_threads(arguments.Threads[0]);
        var way = arguments.Text("way", "float32").Split('-');
        var size = arguments.Number("size", 512);
        var ticks = new List<double>();
        var stepsPeak = 0.0;
        var mlContext = new MLContext(seed: 1);
        var rows = mlContext.Data.LoadFromEnumerable([new Row()]);
        using var model = mlContext.Transforms.DiffusionGenerator(new DiffusionGeneratorOptions
        {
            Checkpoint = arguments.Text("checkpoint", ""), Device = "cpu", Precision = Enum.Parse<Precision>(way[0], ignoreCase: true),
            Sampling = new() { Steps = arguments.Number("steps", 4), Height = size, Width = size, AutoencoderTile = way.Contains("tiles") ? arguments.Number("tile", size / 2) : null, Progress = new Reports<DiffusionProgress>(_ => Tick()) },
        }).Fit(rows);
        var (load, loadPeak) = (Seconds(), Peak());
        using var image = model.Transform(rows).GetColumn<MLImage>("GeneratedImage").Single();
        var end = Seconds();
        var steps = ticks.Skip(1).Zip(ticks, (now, before) => now - before);
        Console.WriteLine(JsonSerializer.Serialize(new Costs(load, loadPeak, SideBySide.Median(steps), stepsPeak, end - ticks[^1], Peak())));

        // Of processor time, the steadier number on a busy machine.
        static double Seconds() => Environment.CpuUsage.TotalTime.TotalSeconds;

        void Tick()
        {
            ticks.Add(Seconds());
            stepsPeak = Peak();
        }
    }

    private static double Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / 1e6;
    }

    private static Costs InChild(BenchArguments arguments, string way, int size)
    {
        var checkpoint = arguments.Place("checkpoint", PrepareDiffusion.StableDiffusion);
        string[] words = [Child, "--checkpoint", checkpoint, "--way", way, "--size", $"{size}", "--steps", $"{arguments.Number("steps", 4)}", "--threads", $"{arguments.Threads[0]}"];
        using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, words) { RedirectStandardOutput = true })!;
        var answer = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return JsonSerializer.Deserialize<Costs>(answer.Trim().Split('\n')[^1])!;
    }

    private sealed class Row
    {
        public string Prompt { get; set; } = "a photo of a red chair";
    }
}
