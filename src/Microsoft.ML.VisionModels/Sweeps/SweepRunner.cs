using System.Runtime.ExceptionServices;
using Microsoft.ML.VisionModels.Sweeps.Pruners;
using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Studies;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>The workers of this process: each claims a trial, runs it and claims the next, until the budget is used up.</summary>
internal sealed class SweepRunner(
    MLContext context, StudyStore store, SweepOptions options, IReadOnlyDictionary<string, SweepCandidate> candidates,
    IReadOnlyList<(IDataView Train, IDataView Validation)> folds, BestModel best)
{
    private const int HopelessFailures = 5;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(0.5);

    private readonly Proposer _proposer = new(context, options);
    private readonly IPruner? _pruner = IPruner.Of(options);
    private readonly string _worker = Worker.NewName();
    private readonly MemoryRoom _room = new();

    public void Run()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken);
        if (options.Minutes is { } minutes and < 60_000)    // timers go no further than seven weeks
            stop.CancelAfter(TimeSpan.FromMinutes(minutes));

        ExceptionDispatchInfo? error = null;
        var cores = options.Workers > 1 ? torch.get_num_threads() : 0;
        var threads = Enumerable.Range(0, options.Workers).Select(index => new Thread(() =>
        {
            try
            {
                if (options.Workers > 1)
                    torch.set_num_threads(Math.Max(1, cores / options.Workers));     // of this thread
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

    /// <returns>Whether there may be more to do.</returns>
    private bool Next(CancellationToken stop)
    {
        if (!_room.Wait(stop))
            return false;
        try
        {
            var claim = store.Claim(_worker, options.Trials ?? int.MaxValue, _proposer.Propose);
            if (claim.Trial is null)
            {
                // Others are at work; should they die, their trials come back.
                stop.WaitHandle.WaitOne(Poll);
                return claim.OthersRun;
            }
            RunTrial(claim.Trial, stop);
            return true;
        }
        finally
        {
            _room.Leave();
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

        // A bad set of hyper-parameters, or too large a network for the memory, is something that the sweep learns from; so many
        // failures before anything has succeeded are no accident.
        if (ended.State == SweepTrialState.Failed && store.Trials().Where(other => other.IsOver).ToArray() is var over
            && over.Length >= HopelessFailures && Array.TrueForAll(over, other => other.State == SweepTrialState.Failed))
        {
            throw new InvalidOperationException($"All of the first {over.Length} trials failed, the last one with: {error?.Message ?? ended.Error}", error);
        }
    }

    private void Report(SweepTrial trial)
    {
        if (trial.Epochs.Count > 0)
            _room.Grown();
        options.Report(trial, store);
    }
}
