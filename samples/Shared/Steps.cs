using System.Diagnostics;

namespace Samples;

/// <summary>How long each step took.</summary>
internal sealed class Steps
{
    private readonly List<(string Step, TimeSpan Time)> _times = [];

    public IReadOnlyList<(string Step, TimeSpan Time)> Times => _times;

    public T Time<T>(string step, Func<T> work)
    {
        var watch = Stopwatch.StartNew();
        var result = work();
        _times.Add((step, watch.Elapsed));
        return result;
    }

    public void Time(string step, Action work) => Time(step, () =>
    {
        work();
        return true;
    });
}
