using System.Runtime.ExceptionServices;
using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Studies;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>Runs the worker threads of this process: each claims a trial, runs it and claims the next one, until the budget is used up.</summary>
internal sealed class SweepRunner(
    MLContext context, StudyStore store, SweepOptions options, IReadOnlyDictionary<string, SweepCandidate> candidates,
    IReadOnlyList<(IDataView Train, IDataView Validation)> folds, BestModel best)
{
    /// <summary>If so many trials failed and none succeeded, the sweep ends.</summary>
    private const int MaxFailuresAtStart = 5;

    private static readonly TimeSpan s_pollInterval = TimeSpan.FromSeconds(0.5);

    private readonly Proposer _proposer = new(context, options);
    private readonly IPruner? _pruner = IPruner.Of(options);
    private readonly string _worker = Worker.NewName();
    private readonly MemoryGate _memory = new();

    public void Run()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken);
        if (options.Minutes is { } minutes and < 60_000)    // timers support at most seven weeks
            stop.CancelAfter(TimeSpan.FromMinutes(minutes));

        ExceptionDispatchInfo? error = null;
        var cores = options.Workers > 1 ? torch.get_num_threads() : 0;
        var threads = Enumerable.Range(0, options.Workers).Select(index => new Thread(() =>
        {
            try
            {
                if (options.Workers > 1)
                    torch.set_num_threads(Math.Max(1, cores / options.Workers));     // applies to this thread
                while (!stop.IsCancellationRequested && Next(stop.Token))
                {
                }
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref error, ExceptionDispatchInfo.Capture(e), null);
                stop.Cancel();
            }
        }) { Name = $"Sweep {index}" }).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        if (options.Workers > 1)
            torch.set_num_threads(cores);
        error?.Throw();
    }

    /// <summary>Claims and runs a trial.</summary>
    /// <returns>Whether there may be more to do.</returns>
    private bool Next(CancellationToken stop)
    {
        if (!_memory.Enter(stop))
            return false;
        try
        {
            var claim = store.Claim(_worker, options.Trials ?? int.MaxValue, _proposer.Propose);
            if (claim.Trial is null)
            {
                // Other workers are running trials. If one of them dies, its trial can be claimed.
                stop.WaitHandle.WaitOne(s_pollInterval);
                return claim.OthersRun;
            }
            RunTrial(claim.Trial, stop);
            return true;
        }
        finally
        {
            _memory.Leave();
        }
    }

    private void RunTrial(SweepTrial trial, CancellationToken stop)
    {
        var isOne = folds.Count == 1;
        var (ended, model, error) = new TrialRun(context, store, options.Metric, _pruner, Report).Run(
            trial, folds, attach => candidates[trial.Candidate].Create(trial.Parameters, attach), stop,
            isOne ? (score, trained) => best.Prepare(trial, score, trained) : null);
        if (model is not null && isOne)
            best.Offer(trial, model);
        else
            (model as IDisposable)?.Dispose();

        // A trial may fail because of its hyper-parameters, for example a network that is too large for the memory, and the sweep goes on.
        // If all of the first trials fail, there is another cause.
        if (ended.State == SweepTrialState.Failed && store.Trials().Where(other => other.IsOver).ToArray() is var over
            && over.Length >= MaxFailuresAtStart && Array.TrueForAll(over, other => other.State == SweepTrialState.Failed))
        {
            throw new InvalidOperationException($"All of the first {over.Length} trials failed, the last one with: {error?.Message ?? ended.Error}", error);
        }
    }

    private void Report(SweepTrial trial)
    {
        if (trial.Epochs.Count > 0)
            _memory.Measure();
        options.Report(trial, store);
    }
}

/// <summary>Lets another trial run only while there is as much free memory as each of the running trials has taken.</summary>
internal sealed class MemoryGate
{
    private readonly object _lock = new();
    private readonly long _atStart = Environment.WorkingSet;
    private long _perTrial;
    private bool _isKnown;
    private int _running;

    /// <summary>Waits until a trial may run. The first one may run at once, the second one when the memory of the first was measured.</summary>
    /// <returns>False where the sweep was stopped in the meantime.</returns>
    public bool Enter(CancellationToken stop)
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

    /// <summary>Measures the memory, when a running trial has taken what it needs.</summary>
    public void Measure()
    {
        lock (_lock)
        {
            _isKnown = true;
            _perTrial = Math.Max(_perTrial, (Environment.WorkingSet - _atStart) / Math.Max(1, _running));
            Monitor.PulseAll(_lock);
        }
    }

    public void Leave()
    {
        Measure();
        lock (_lock)
        {
            _running--;
            Monitor.PulseAll(_lock);
        }
    }

    // The free memory of the machine or, where it has a limit, of the container.
    private static long Free() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Environment.WorkingSet;
}
