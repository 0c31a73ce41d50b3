namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// Makes numbered items ahead of their use on background threads and hands them out in order. At most a few are there at once,
/// whatever the user's pace.
/// </summary>
internal sealed class Prefetcher<T> : IDisposable
    where T : IDisposable
{
    // Half of the cores, as the network wants the others, and not so many that the items take much memory. Each worker is one item
    // ahead of the one that it makes.
    private static readonly int s_workers = Math.Clamp(Environment.ProcessorCount / 2, 1, 8);

    /// <summary>How many items are there or being made, at most.</summary>
    internal static readonly int Ahead = 2 * s_workers;

    private readonly Func<int, T> _make;
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<Task<T>> _items = new();
    private readonly Queue<Task> _workers = new(Enumerable.Repeat(Task.CompletedTask, s_workers));
    private readonly int _end;
    private int _started;

    /// <param name="first">The number of the first item.</param>
    /// <param name="end">The number after the last.</param>
    /// <param name="make">Makes an item by its number; called from several threads at once.</param>
    public Prefetcher(int first, int end, Func<int, T> make)
    {
        (_started, _end, _make) = (first, end, make);
        while (_items.Count < Ahead && Start())
            ;
    }

    /// <summary>The next item, which becomes the caller's. What went wrong in making it is thrown here.</summary>
    public T Next()
    {
        var item = _items.Dequeue().GetAwaiter().GetResult();
        Start();
        return item;
    }

    /// <summary>Stops, waits for items that are being made, and frees those that were not taken.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        foreach (var item in _items)
        {
            // An error in an item that was never taken has no one to be reported to.
            ((IAsyncResult)item).AsyncWaitHandle.WaitOne();
            if (item.IsCompletedSuccessfully)
                item.Result.Dispose();
            _ = item.Exception;
        }
        _items.Clear();
        _stop.Dispose();
    }

    /// <summary>Starts on the next item as soon as a worker is free; false where all are started.</summary>
    private bool Start()
    {
        if (_started == _end)
            return false;
        var number = _started++;
        var item = _workers.Dequeue().ContinueWith(_ => _make(number), _stop.Token, TaskContinuationOptions.None, TaskScheduler.Default);
        _workers.Enqueue(item);
        _items.Enqueue(item);
        return true;
    }
}
