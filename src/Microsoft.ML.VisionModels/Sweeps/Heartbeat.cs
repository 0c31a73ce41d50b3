using System.Data.Common;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>Tells a study, for as long as it lives, that somebody is at a trial.</summary>
internal sealed class Heartbeat : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    private readonly StudyStore _store;
    private readonly SweepTrial _trial;
    private readonly Timer _timer;

    public Heartbeat(StudyStore store, SweepTrial trial)
    {
        (_store, _trial) = (store, trial);
        _timer = new(_ => Beat());
        Next();
    }

    public void Dispose()
    {
        // A beat that has begun still needs the store.
        using var done = new ManualResetEvent(false);
        if (_timer.Dispose(done))
            done.WaitOne();
    }

    /// <summary>A missed beat is made up for by the next; what the database says against it, the trial's end tells.</summary>
    private void Beat()
    {
        try
        {
            _store.Beat(_trial);
        }
        catch (DbException)
        {
        }
        Next();
    }

    // One after the other, however long each takes.
    private void Next()
    {
        try
        {
            _timer.Change(s_interval, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
        }
    }
}
