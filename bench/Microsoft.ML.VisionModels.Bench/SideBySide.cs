using System.Diagnostics;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// Measures two ways of doing the same thing in turns (ours, peer, ours, peer, ...), so that whatever else the machine is doing
/// falls on both, and compares the medians.
/// </summary>
internal sealed class SideBySide(BenchArguments arguments, ResultsFile results)
{
    private static readonly TimeSpan ShortestTurn = TimeSpan.FromMilliseconds(200), LeastWarmUp = TimeSpan.FromSeconds(1);

    /// <summary>Measures, prints the ratios and stores them.</summary>
    /// <param name="benchmark">The name of the benchmark.</param>
    /// <param name="ours">Our side.</param>
    /// <param name="peer">The other side.</param>
    /// <param name="threads">The threads that each may use.</param>
    /// <param name="batch">How many images one time handles.</param>
    /// <returns>The medians of our side.</returns>
    public Cost Run(string benchmark, Contestant ours, Contestant peer, int threads, int batch)
    {
        var (oursTimes, peerTimes) = (WarmUp(ours), WarmUp(peer));
        var (oursTurns, peerTurns) = (new List<Cost>(), new List<Cost>());
        for (var round = 0; round < arguments.Rounds; round++)
        {
            oursTurns.Add(ours.Turn(oursTimes));
            peerTurns.Add(peer.Turn(peerTimes));
        }

        Console.WriteLine($"{benchmark}, {threads} thread(s), batch {batch}: {ours.Name} against {peer.Name}");
        Report("CPU ms", turn => turn.Cpu);
        Report("wall ms", turn => turn.Wall);
        if (oursTurns[0].Memory is not null)
            Report("peak MB", turn => turn.Memory!.Value);
        return new(Median(oursTurns.Select(turn => turn.Wall)), Median(oursTurns.Select(turn => turn.Cpu)));

        void Report(string unit, Func<Cost, double> value) => results.Add(
            new(benchmark, ours.Name, peer.Name, unit, Median(oursTurns.Select(value)), Median(peerTurns.Select(value)), threads, batch));
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Runs unmeasured until the just-in-time compiler has done its best, and says how many times fill a turn.</summary>
    private static int WarmUp(Contestant contestant)
    {
        var watch = Stopwatch.StartNew();
        Cost last;
        do
            last = contestant.Turn(1);
        while (watch.Elapsed < LeastWarmUp);
        return (int)Math.Clamp(ShortestTurn.TotalMilliseconds / last.Wall, 1, 1000);
    }
}
