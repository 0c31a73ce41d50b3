namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>Lets trials run at the same time as far as there is memory for them: as much again as the running ones have taken each.</summary>
internal sealed class MemoryRoom
{
    private readonly object _lock = new();
    private readonly long _before = Environment.WorkingSet;
    private long _perTrial;
    private bool _isKnown;
    private int _running;

    /// <summary>Waits until there is room; the first trial has it always, the second when the first has shown what it takes.</summary>
    /// <returns>False where it was stopped meanwhile.</returns>
    public bool Wait(CancellationToken stop)
    {
        lock (_lock)
        {
            while (_running > 0 && !(_isKnown && Free() > _perTrial))
            {
                if (stop.IsCancellationRequested)
                    return false;
                Monitor.Wait(_lock, TimeSpan.FromSeconds(0.5));
            }
            _running++;
            return true;
        }
    }

    /// <summary>A running trial has taken what it needs.</summary>
    public void Grown()
    {
        lock (_lock)
        {
            _isKnown = true;
            _perTrial = Math.Max(_perTrial, (Environment.WorkingSet - _before) / Math.Max(1, _running));
            Monitor.PulseAll(_lock);
        }
    }

    public void Leave()
    {
        Grown();
        lock (_lock)
        {
            _running--;
            Monitor.PulseAll(_lock);
        }
    }

    // Of the machine, or of the container where that has a limit.
    private static long Free() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Environment.WorkingSet;
}
