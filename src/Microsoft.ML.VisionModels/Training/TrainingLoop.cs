using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// The one training loop: AdamW, warm-up and cosine, gradient accumulation and clipping, the weights' average; everything else is
/// a callback. Leaves the network in evaluation mode with the weights of the best validated epoch, or the last weights where
/// nothing was validated.
/// </summary>
internal static class TrainingLoop
{
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite; the weights are those before that step.</exception>
    /// <exception cref="InvalidOperationException">The task has no step to train on, or the snapshot to go on from is of another training.</exception>
    public static TrainingHistory Run(ITrainingTask task, TrainerOptions options, IHostEnvironment? environment = null, params IReadOnlyList<ITrainingCallback> callbacks)
    {
        options.Validate();
        if (task.StepsPerEpoch < 1)
            throw new InvalidOperationException("There are no rows to train on.");

        using var heap = NativeHeap.Keep();
        using var state = new TrainingState(task, options);
        using var log = environment is null ? null : new TrainingLog(environment);
        using var snapshots = options.SnapshotFolder is { } folder ? new Snapshots(state, folder, environment) : null;
        List<ITrainingCallback?> optional =
        [
            state.Best, new EarlyStopping(options.EarlyStoppingPatience),
            snapshots, // before any report: what was told of is kept
            options.Progress is { } progress ? new ProgressReports(progress) : null, log, options.Watch, .. callbacks,
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
        }
        snapshots?.End(state);
        if (state.BestEpoch is null)
            state.Average?.Swap();
        all.ForEach(c => c.OnTrainEnd(state));
        task.Network.eval();
        state.Optimizer.ZeroGradients(); // the network lives on, and they take as much memory as it
        return state.ToHistory();

        bool IsCanceled() => options.CancellationToken.IsCancellationRequested || environment?.IsCanceled() == true;

        void ThrowIfCanceled()
        {
            if (IsCanceled())
                throw new OperationCanceledException();
        }
    }

    private static StopReason RunEpochs(TrainingState state, List<ITrainingCallback> callbacks, Action throwIfCanceled)
    {
        for (; state.Epoch < state.Options.Epochs; state.Epoch++, state.Step = 0)
        {
            state.Task.Network.train();
            state.Task.StartEpoch(state.Epoch, state.Step);
            while (state.Step < state.StepsPerEpoch)
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
        }
        return StopReason.Completed;
    }

    private static double Step(TrainingState state)
    {
        using var scope = NewDisposeScope();
        var options = state.Options;
        state.LearningRate = LearningRateSchedule.At(state.GlobalStep, state.TotalSteps, options.LearningRate, options.WarmupFraction);
        state.Optimizer.ZeroGradients();

        var loss = 0.0;
        for (var part = 0; part < options.AccumulationSteps; part++)
            loss += AddGradients(state, part, options.AccumulationSteps);
        if (!double.IsFinite(loss))
            throw new TrainingDivergedException(state.Epoch + 1, state.Step + 1, loss, state.LearningRate);

        if (options.GradientClip > 0)
        {
            var norm = GradientClipping.ClipNorm(state.Optimizer.Gradients(), options.GradientClip).Item();
            if (!double.IsFinite(norm))
                throw new TrainingDivergedException(state.Epoch + 1, state.Step + 1, loss, state.LearningRate, norm);
        }
        state.Optimizer.Step(state.LearningRate);
        state.Average?.Update(state.GlobalStep);
        return loss;
    }

    /// <summary>Adds the gradients of a part of the step's batch to those of the parts before it; gives the part's loss.</summary>
    private static double AddGradients(TrainingState state, int part, int parts)
    {
        using var scope = NewDisposeScope();
        using var mixed = state.Options.TrainingPrecision == Precision.BFloat16 ? MixedPrecision.Begin() : null;
        if (state.Task.Loss(state.Step, part, parts) is not { } loss)
            return 0;
        loss.backward();
        GradientCheckpointing.ThrowIfFailed();
        return loss.Item(); // the part's one synchronisation with the device
    }

    private static ValidationResult? Validate(TrainingState state)
    {
        // no_grad, not inference_mode: what a network caches under inference_mode cannot enter a graph later.
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        state.Task.Network.eval();
        return state.Task.Validate(state.Options.CancellationToken);
    }
}
