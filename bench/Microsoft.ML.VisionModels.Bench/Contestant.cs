using System.Diagnostics;

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

    public static Cost Measure(Action work, int times)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < times; i++)
            work();
        return new Cost(watch.Elapsed.TotalMilliseconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds).Per(times);
    }
}
