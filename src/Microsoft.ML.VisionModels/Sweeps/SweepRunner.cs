using System.Data.Common;
using System.Runtime.ExceptionServices;
using Microsoft.ML.VisionModels.Interop;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>The workers of this process: each claims a trial, runs it and claims the next, until the budget is used up.</summary>
internal sealed class SweepRunner(
    MLContext context, StudyStore store, SweepOptions options, IReadOnlyDictionary<string, SweepCandidate> candidates,
    IReadOnlyList<(IDataView Train, IDataView Validation)> folds, BestModel best)
{
    private const int HopelessFailures = 5;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(0.5), Heartbeat = TimeSpan.FromSeconds(5);

    private readonly ISampler _sampler = options.Sampler switch
    {
        SweepSampler.Random => new RandomSampler(),
        SweepSampler.Grid => new GridSampler(options.GridSteps),
        SweepSampler.Refine => new RefiningSampler(round: Math.Max(5, (options.Trials ?? 50) / 5)),
        _ => new TpeSampler(),
    };
    private readonly IPruner? _pruner = options.Pruner switch
    {
        SweepPruner.Asha => new AshaPruner(),
        SweepPruner.Median => new MedianPruner(),
        SweepPruner.Hyperband => new HyperbandPruner(),
        _ => null,
    };
    private readonly int _seed = options.Seed ?? MLNet.SeedOf(MLNet.EnvironmentOf(context.Transforms)) ?? Random.Shared.Next();
    private readonly MemoryRoom _room = new();

    public void Run()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken);
        if (options.Minutes is { } minutes)
            stop.CancelAfter(TimeSpan.FromMinutes(minutes));
        // As a worker dies with its process, a sign of the process's life is enough.
        using var heart = new Timer(_ => Beat(), null, Heartbeat, Heartbeat);

        ExceptionDispatchInfo? error = null;
        var cores = options.Workers > 1 ? torch.get_num_threads() : 0;
        var threads = Enumerable.Range(0, options.Workers).Select(index => new Thread(() =>
        {
            try
            {
                if (options.Workers > 1)
                    torch.set_num_threads(Math.Max(1, cores / options.Workers));     // of this thread
                while (!stop.IsCancellationRequested && Next(index, stop.Token))
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
    private bool Next(int index, CancellationToken stop)
    {
        if (!_room.Wait(stop))
            return false;
        try
        {
            var claim = store.Claim(Worker.Name, options.Trials ?? int.MaxValue, Propose);
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

    private Proposal? Propose(SweepHistory history)
    {
        // Every candidate's own initial values come first, as somebody thought them good.
        if (options.Sampler != SweepSampler.Grid && history.Next < history.Space.Branches.Count)
            return history.Space.Branches[history.Next].Initial;
        return _sampler.Propose(history, new Random(unchecked(_seed * 1_000_003 + history.Next)));
    }

    private void RunTrial(SweepTrial trial, CancellationToken stop)
    {
        Report(trial);
        var watch = new TrialWatch(trial, store, _pruner, epoch => { _room.Grown(); Report(epoch); });
        ITransformer? model = null;
        try
        {
            var scores = new List<double>();
            foreach (var (train, validation) in folds)
            {
                (model as IDisposable)?.Dispose();
                var isFirst = scores.Count == 0;
                model = candidates[trial.Candidate].Create(trial.Parameters, trainer =>
                {
                    (trainer.CancellationToken, trainer.Watch) = (stop, isFirst ? watch : null);
                }).Fit(train);
                if (watch.IsPruned || watch.IsLost)
                    break;
                if (stop.IsCancellationRequested && folds.Count > 1)
                    throw new OperationCanceledException(stop);
                scores.Add(options.Metric.Measure(context, model.Transform(validation)));
            }

            if (watch.IsPruned)
                Finish(SweepTrialState.Pruned, null);
            else if (!watch.IsLost && !double.IsFinite(scores.Average()))
                Finish(SweepTrialState.Failed, null, $"The {options.Metric.Name} is {scores.Average()}.");
            else if (!watch.IsLost && Finish(watch.IsCut ? SweepTrialState.Stopped : SweepTrialState.Complete, scores.Average()) && folds.Count == 1)
            {
                best.Offer(trial, model!);
                model = null;   // it is no longer ours
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            store.Release(trial);       // it had learnt nothing yet
        }
        catch (Exception error)
        {
            // A bad set of hyper-parameters, or too large a network for the memory, is something that the sweep learns from.
            Finish(SweepTrialState.Failed, null, $"{error.GetType().Name}: {error.Message}");
            ThrowIfHopeless(error);
        }
        finally
        {
            (model as IDisposable)?.Dispose();
        }

        bool Finish(SweepTrialState state, double? score, string? error = null)
        {
            var isOurs = store.Finish(trial, state, score, error);
            if (isOurs)
                Report(watch.Trial with { State = state, Score = score, Error = error });
            return isOurs;
        }
    }
    /// <summary>So many failures before anything has succeeded are no accident.</summary>
    private void ThrowIfHopeless(Exception error)
    {
        var over = store.Trials().Where(trial => trial.IsOver).ToArray();
        if (over.Length >= HopelessFailures && Array.TrueForAll(over, trial => trial.State == SweepTrialState.Failed))
            throw new InvalidOperationException($"All of the first {over.Length} trials failed, the last one with: {error.Message}", error);
    }

    private void Report(SweepTrial trial)
    {
        if (options.Progress is null)
            return;
        var history = store.History();
        options.Progress.Report(new(trial, history.Best, history.Trials.Count(other => other.IsOver), options.Trials));
    }

    /// <summary>A missed heartbeat is made up for by the next; what the database says against it, the next claim tells.</summary>
    private void Beat()
    {
        try
        {
            store.Beat(Worker.Name);
        }
        catch (DbException)
        {
        }
    }
}
