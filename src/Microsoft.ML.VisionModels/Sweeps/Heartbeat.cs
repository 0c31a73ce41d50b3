using System.Data.Common;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>Tells a study that this process lives: as a worker dies with its process, that is enough.</summary>
internal sealed class Heartbeat : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    private readonly StudyStore _store;
    private readonly Timer _timer;

    public Heartbeat(StudyStore store)
    {
        _store = store;
        _timer = new(_ => Beat(), null, s_interval, s_interval);
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>A missed heartbeat is made up for by the next; what the database says against it, the next claim tells.</summary>
    private void Beat()
    {
        try
        {
            _store.Beat(Worker.Name);
        }
        catch (DbException)
        {
        }
    }
}
