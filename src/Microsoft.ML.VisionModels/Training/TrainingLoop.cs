using System.Diagnostics;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// The one training loop: a schedule and an optimizer, gradient accumulation and clipping, the weights' average; everything else is
/// a callback. Leaves the network in evaluation mode with the weights of the best validated epoch, or the last weights where
/// nothing was validated.
/// </summary>
internal static class TrainingLoop
{
    private static readonly jit.CompilationUnit Script = jit.compile("""
        def clip_norm(gradients: List[Tensor], max_norm: float):
          norm = torch.linalg_vector_norm(torch.stack(torch._foreach_norm(gradients, 2)), 2)
          torch._foreach_mul_(gradients, torch.clamp(max_norm / (norm + 1e-6), max=1.0))
          return norm

        """);

    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite; the weights are those before that step.</exception>
    /// <exception cref="InvalidOperationException">The task has no step to train on, or the snapshot to go on from is of another training.</exception>
    public static TrainingHistory Run(ITrainingTask task, TrainingPlan plan, IHostEnvironment? environment = null, params IReadOnlyList<ITrainingCallback> callbacks)
    {
        if (task.StepsPerEpoch < 1)
            throw new InvalidOperationException("There are no rows to train on.");

        using var heap = NativeHeap.Keep();
        using var state = new TrainingState(task, plan);
        using var log = environment is null ? null : new TrainingLog(environment);
        using var snapshots = plan.SnapshotFolder is { } folder ? new Snapshots(state, folder, environment) : null;
        List<ITrainingCallback?> optional =
        [
            state.Best, new EarlyStopping(plan.EarlyStoppingPatience),
            snapshots, // before any report: what was told of is kept
            plan.Progress is { } progress ? new ProgressReports(progress) : null, log, plan.Watch, .. callbacks,
        ];
        List<ITrainingCallback> all = [.. optional.OfType<ITrainingCallback>()];

        snapshots?.Resume(state);
        all.ForEach(c => c.OnTrainBegin(state));
        try
        {
            state.StopReason = RunEpochs(state, all, ThrowIfCanceled);
        }
        catch (OperationCanceledException) when (IsCanceled())
        {
            state.StopReason = StopReason.Canceled;
            if (state.GlobalStep == 0)
                throw;      // nothing was learned that could be given
        }
        snapshots?.End(state);
        if (state.BestEpoch is null)
            state.Average?.Swap();
        all.ForEach(c => c.OnTrainEnd(state));
        task.Network.eval();
        ZeroGradients(state); // the network lives on, and they take as much memory as it
        return state.ToHistory();

        bool IsCanceled() => plan.CancellationToken.IsCancellationRequested || environment?.IsCanceled() == true;

        void ThrowIfCanceled()
        {
            if (IsCanceled())
                throw new OperationCanceledException();
        }
    }

    private static StopReason RunEpochs(TrainingState state, List<ITrainingCallback> callbacks, Action throwIfCanceled)
    {
        for (; state.Epoch < state.TotalEpochs; state.Epoch++, state.Step = 0)
        {
            state.Task.Network.train();
            state.Task.StartEpoch(state.Epoch, state.Step);
            while (state.Step < state.StepsPerEpoch && !state.IsSpent)
            {
                throwIfCanceled();
                var loss = Step(state);
                state.Step++;
                state.MeanLoss = state.Step == 1 ? loss : state.MeanLoss + (loss - state.MeanLoss) / state.Step;
                callbacks.ForEach(c => c.OnStepEnd(state));
            }
            throwIfCanceled();

            // The average is what is judged, and kept if it is the best.
            using var applied = state.Average?.Apply();
            state.Add(Validate(state));

            // All are asked, so that each sees every epoch.
            if (callbacks.Count(c => c.OnEpochEnd(state)) > 0)
                return StopReason.EarlyStopped;
            if (state.IsSpent)
                break;
        }
        return StopReason.Completed;
    }

    private static double Step(TrainingState state)
    {
        using var scope = NewDisposeScope();
        var plan = state.Plan;
        // Where time is the shorter budget, the schedule follows the time.
        var scheduled = Math.Max(state.GlobalStep, Math.Min((long)(state.ShareDone * state.TotalSteps), state.TotalSteps - 1));
        state.LearningRate = plan.LearningRate * plan.Schedule.ShareAt(scheduled, state.TotalSteps);
        ZeroGradients(state);

        var loss = 0.0;
        for (var part = 0; part < plan.AccumulationSteps; part++)
            loss += AddGradients(state, part, plan.AccumulationSteps);
        if (!double.IsFinite(loss))
            throw new TrainingDivergedException(state.Epoch + 1, state.Step + 1, loss, state.LearningRate);

        state.Task.AfterGradients(state.Epoch);
        if (plan.GradientClip > 0)
        {
            var norm = Clip([.. state.Optimizer.Parameters.Select(p => p.grad).OfType<Tensor>()], plan);
            if (!double.IsFinite(norm))
                throw new TrainingDivergedException(state.Epoch + 1, state.Step + 1, loss, state.LearningRate, norm);
        }
        state.Optimizer.Step(state.LearningRate, plan.DecaySchedule.ShareAt(scheduled, state.TotalSteps));
        using var noGradients = no_grad();
        state.Task.AfterStep(scheduled, state.TotalSteps);
        state.Average?.Update(state.GlobalStep);
        return loss;
    }

    /// <summary>Adds the gradients of a part of the step's batch to those of the parts before it; gives the part's loss.</summary>
    private static double AddGradients(TrainingState state, int part, int parts)
    {
        using var scope = NewDisposeScope();
        using var mixed = state.Plan.Precision == Precision.BFloat16 ? MixedPrecision.Begin() : null;
        if (state.Task.Loss(state.Step, part, parts) is not { } loss)
            return 0;
        loss.backward();
        GradientCheckpointing.ThrowIfFailed();
        return loss.Item(); // the part's one synchronization with the device
    }

    private static ValidationResult? Validate(TrainingState state)
    {
        // no_grad, not inference_mode: what a network caches under inference_mode cannot enter a graph later.
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        state.Task.Network.eval();
        return state.Task.Validate(state.Plan.CancellationToken);
    }

    private static void ZeroGradients(TrainingState state)
    {
        foreach (var parameter in state.Optimizer.Parameters)
            parameter.grad = null;
    }

    /// <summary>Clips the gradients as the plan says; gives their norm before, the largest where each was clipped by itself.</summary>
    internal static double Clip(Tensor[] gradients, TrainingPlan plan) => plan.ClipsEachParameter && gradients.Length > 0
        ? stack([.. gradients.Select(gradient => ClipNorm([gradient], plan.GradientClip))]).max().Item()
        : ClipNorm(gradients, plan.GradientClip).Item();

    /// <summary>Scales all gradients down together, in place, so that their norm as one vector is at most <paramref name="maxNorm"/>.</summary>
    /// <returns>The norm before, a scalar on the gradients' device; zero where there are no gradients.</returns>
    internal static Tensor ClipNorm(Tensor[] gradients, double maxNorm)
    {
        using var noGradients = no_grad();
        using Scalar bound = maxNorm;   // held, see TensorArithmetic
        return gradients.Length == 0 ? zeros([]) : Script.invoke<Tensor>("clip_norm", gradients, bound);
    }
}

/// <summary>Stops after <paramref name="patience"/> epochs without a better validation; 0 never stops.</summary>
internal sealed class EarlyStopping(int patience) : ITrainingCallback
{
    public bool OnEpochEnd(TrainingState state) =>
        patience > 0 && state.BestEpoch is { } best && state.Epoch - best >= patience && state.Epoch + 1 < state.TotalEpochs;
}

/// <summary>Where a training stands; the loop writes it, callbacks read it. Epochs and steps count from 0.</summary>
internal sealed class TrainingState(ITrainingTask task, TrainingPlan plan) : IDisposable
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _before;   // spent by the process that this one goes on from

    public ITrainingTask Task { get; } = task;

    public TrainingPlan Plan { get; } = plan;

    public IOptimizer Optimizer { get; } = plan.Optimizer(task.ParameterGroups);

    /// <summary>The weights' moving average; null where none is wanted.</summary>
    public WeightAverage? Average { get; } = plan.EmaDecay > 0 ? new(task.Network, plan.EmaDecay) : null;

    public BestWeights Best { get; } = new();

    public int StepsPerEpoch { get; } = task.StepsPerEpoch;

    public int Epoch { get; set; }

    /// <summary>The epoch's steps that are done: the number of the next one.</summary>
    public int Step { get; set; }

    /// <summary>The steps of the whole training that are done.</summary>
    public long GlobalStep => (long)Epoch * StepsPerEpoch + Step;

    public long TotalSteps => Plan.TotalSteps(StepsPerEpoch);

    public int TotalEpochs => Plan.TotalEpochs(StepsPerEpoch);

    /// <summary>How much of the training is done, 0 to 1: by its steps, or by its time where that is shorter.</summary>
    public double ShareDone => Math.Max((double)GlobalStep / TotalSteps, Plan.Minutes is { } minutes ? Math.Min(1, Elapsed.TotalMinutes / minutes) : 0);

    /// <summary>Whether the budget of steps or minutes is used up.</summary>
    public bool IsSpent => GlobalStep >= TotalSteps || (Plan.Minutes is { } minutes && Elapsed.TotalMinutes >= minutes);

    /// <summary>The last step's.</summary>
    public double LearningRate { get; set; }

    /// <summary>The mean loss of this epoch's steps so far.</summary>
    public double MeanLoss { get; set; }

    public ValidationResult? LastValidation { get; private set; }

    public ValidationResult? BestValidation { get; private set; }

    public int? BestEpoch { get; private set; }

    public List<TrainingEpoch> Epochs { get; } = [];

    /// <summary>Known when training has ended.</summary>
    public StopReason StopReason { get; set; }

    /// <summary>Why the last snapshot could not be written; null where it could.</summary>
    public string? SnapshotError { get; set; }

    public TimeSpan Elapsed => _before + _clock.Elapsed;

    /// <summary>Notes the end of the current epoch.</summary>
    public void Add(ValidationResult? validation)
    {
        LastValidation = validation;
        if (validation?.Score is not null && (BestValidation is null || validation.IsBetterThan(BestValidation)))
            (BestValidation, BestEpoch) = (validation, Epoch);
        var seconds = Elapsed.TotalSeconds - Epochs.Sum(e => e.Seconds);
        Epochs.Add(new(Epoch + 1, MeanLoss, validation?.Loss, validation?.Metrics ?? new Dictionary<string, double>(), LearningRate, seconds));
    }

    /// <summary>All that is needed to go on from here in another process, but for the tensors.</summary>
    public TrainingPosition ToPosition()
    {
        var isNoted = Epochs.Count > Epoch; // the present epoch has ended
        return new(isNoted ? Epoch + 1 : Epoch, isNoted ? 0 : Step, LearningRate, MeanLoss, LastValidation, BestValidation, BestEpoch, Epochs, Elapsed);
    }

    public void GoTo(TrainingPosition position)
    {
        (Epoch, Step, LearningRate, MeanLoss) = (position.Epoch, position.Step, position.LearningRate, position.MeanLoss);
        (LastValidation, BestValidation, BestEpoch, _before) = (position.LastValidation, position.BestValidation, position.BestEpoch, position.Elapsed);
        Epochs.AddRange(position.Epochs);
    }

    public TrainingHistory ToHistory() => new([.. Epochs], BestEpoch + 1, StopReason, Elapsed, SnapshotError);

    public void Dispose()
    {
        Optimizer.Dispose();
        Average?.Dispose();
        Best.Dispose();
    }
}

/// <summary>How far a training is, as a snapshot keeps it. Epochs and steps count from 0.</summary>
/// <param name="Epoch">The present epoch.</param>
/// <param name="Step">Its first step that is not done; the number of steps where only its validation is left.</param>
/// <param name="LearningRate">The last step's.</param>
/// <param name="MeanLoss">The mean loss of the epoch's steps so far.</param>
/// <param name="LastValidation">The last epoch's.</param>
/// <param name="BestValidation">The best epoch's.</param>
/// <param name="BestEpoch">The epoch with the best validation.</param>
/// <param name="Epochs">The finished epochs.</param>
/// <param name="Elapsed">The time so far.</param>
internal sealed record TrainingPosition(
    int Epoch,
    int Step,
    double LearningRate,
    double MeanLoss,
    ValidationResult? LastValidation,
    ValidationResult? BestValidation,
    int? BestEpoch,
    IReadOnlyList<TrainingEpoch> Epochs,
    TimeSpan Elapsed);
