using System.Diagnostics;
using System.Text.Json;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>What one time cost.</summary>
/// <param name="Wall">Elapsed milliseconds.</param>
/// <param name="Cpu">Processor milliseconds of all threads.</param>
/// <param name="Memory">Megabytes at the peak above those at the start, where that was measured.</param>
internal readonly record struct Cost(double Wall, double Cpu, double? Memory = null)
{
    public Cost Per(int times) => this with { Wall = Wall / times, Cpu = Cpu / times };
}

/// <summary>One of the two sides of a comparison.</summary>
/// <param name="Name">As it is printed and stored.</param>
/// <param name="Turn">Does the work so many times, and says what one time cost.</param>
internal sealed record Contestant(string Name, Func<int, Cost> Turn)
{
    /// <summary>Work that runs in this process.</summary>
    public static Contestant Here(string name, Action work) => new(name, times => Measure(work, times));

    /// <summary>Work that this program does in a process of its own each turn, so that its peak of memory is its own: what stands behind these words calls <see cref="TellParent"/>.</summary>
    public static Contestant InChild(string name, params string[] words) => new(name, _ =>
    {
        using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, words) { RedirectStandardOutput = true })!;
        var answer = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return JsonSerializer.Deserialize<Cost>(answer.Trim().Split('\n')[^1]);
    });

    /// <summary>Measures work in such a process, memory from now on.</summary>
    public static void TellParent(Action work, int times)
    {
        var before = Process.GetCurrentProcess().WorkingSet64;
        var cost = Measure(work, times);
        var peak = Process.GetCurrentProcess().PeakWorkingSet64;
        Console.WriteLine(JsonSerializer.Serialize(cost with { Memory = (peak - before) / 1e6 }));
    }

    public static Cost Measure(Action work, int times)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < times; i++)
            work();
        return new Cost(watch.Elapsed.TotalMilliseconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds).Per(times);
    }
}
