using System.Diagnostics;

namespace Microsoft.ML.VisionModels.Tests.Lifetime;

/// <summary>How calls ended.</summary>
internal sealed record Outcome(int Rounds, int Answered, int Refused)
{
    public override string ToString() => $"{Rounds} models, {Answered} answers, {Refused} refusals";
}

/// <summary>Threads that ask a model, and others that dispose of it meanwhile.</summary>
internal static class Race
{
    private const int Disposing = 2, EachCall = 2;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Makes models and disposes of them while they are asked, until the time is up.</summary>
    /// <exception cref="InvalidOperationException">A call ended with something else than its answer or a refusal, or did not end.</exception>
    public static Outcome Run(Scenario scenario, TimeSpan time)
    {
        var expected = Array.ConvertAll(scenario.Calls, call => Ask(scenario, call).Answer);
        var longest = scenario.Calls.Max(call => Ask(scenario, call).Time);     // the first time, code is compiled
        var outcome = new Outcome(0, 0, 0);
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < time || outcome.Rounds < 2;)
        {
            var (answered, refused) = Round(scenario, expected, longest);
            outcome = new(outcome.Rounds + 1, outcome.Answered + answered, outcome.Refused + refused);
        }
        return outcome;
    }

    private static (string Answer, TimeSpan Time) Ask(Scenario scenario, Func<IDisposable, string> call)
    {
        using var model = scenario.Make();
        var clock = Stopwatch.StartNew();
        return (call(model), clock.Elapsed);
    }

    private static (int Answered, int Refused) Round(Scenario scenario, string[] expected, TimeSpan longest)
    {
        var model = scenario.Make();
        var (answered, refused) = (0, 0);
        using var start = new Barrier(scenario.Calls.Length * EachCall + Disposing);
        var asking = Enumerable.Range(0, scenario.Calls.Length * EachCall).Select(i => Task.Factory.StartNew(() =>
        {
            var which = i % scenario.Calls.Length;
            start.SignalAndWait();
            try
            {
                while (true)
                {
                    var answer = scenario.Calls[which](model);
                    if (answer != expected[which])
                        throw new InvalidOperationException($"Call {which} was answered with '{answer}' instead of '{expected[which]}'.");
                    Interlocked.Increment(ref answered);
                }
            }
            catch (ObjectDisposedException)
            {
                Interlocked.Increment(ref refused);
            }
        }, TaskCreationOptions.LongRunning)).ToArray();
        // At any time of a call: from before the first to some after it.
        var delays = Enumerable.Range(0, Disposing).Select(_ => longest * (3 * Random.Shared.NextDouble())).ToArray();
        var disposing = delays.Select(delay => Task.Factory.StartNew(() =>
        {
            start.SignalAndWait();
            Thread.Sleep(delay);
            model.Dispose();
        }, TaskCreationOptions.LongRunning)).ToArray();

        if (!Task.WaitAll([.. asking, .. disposing], s_patience))
            throw new InvalidOperationException($"Not all calls ended within {s_patience}.");
        return (answered, refused);
    }
}
