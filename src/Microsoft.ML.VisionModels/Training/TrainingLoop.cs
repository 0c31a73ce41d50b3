using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// The one training loop: AdamW, warm-up and cosine, gradient clipping; everything else is a callback. Leaves the network in
/// evaluation mode with the weights of the best validated epoch, or the last weights where nothing was validated.
/// </summary>
internal static class TrainingLoop
{
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite; the weights are those before that step.</exception>
    /// <exception cref="InvalidOperationException">The task has no step to train on.</exception>
    public static TrainingHistory Run(ITrainingTask task, TrainerOptions options, IHostEnvironment? environment = null, params IReadOnlyList<ITrainingCallback> callbacks)
    {
        options.Validate();
        if (task.StepsPerEpoch < 1)
            throw new InvalidOperationException("There are no rows to train on.");

        using var optimizer = new AdamW(task.ParameterGroups);
        using var bestWeights = new BestWeights();
        using var log = environment is null ? null : new TrainingLog(environment);
        List<ITrainingCallback> all = [bestWeights, new EarlyStopping(options.EarlyStoppingPatience)];
        if (options.Progress is not null)
            all.Add(new ProgressReports(options.Progress));
        if (log is not null)
            all.Add(log);
        all.AddRange(callbacks);

        var state = new TrainingState(task, options, optimizer);
        all.ForEach(c => c.OnTrainBegin(state));
        try
        {
            state.StopReason = RunEpochs(state, all, ThrowIfCancelled);
        }
        catch (OperationCanceledException) when (IsCancelled())
        {
            state.StopReason = StopReason.Cancelled;
        }
        all.ForEach(c => c.OnTrainEnd(state));
        task.Network.eval();
        optimizer.ZeroGradients(); // the network lives on, and they take as much memory as it
        return state.ToHistory();

        bool IsCancelled() => options.CancellationToken.IsCancellationRequested || environment?.IsCancelled() == true;

        void ThrowIfCancelled()
        {
            if (IsCancelled())
                throw new OperationCanceledException();
        }
    }

    private static StopReason RunEpochs(TrainingState state, List<ITrainingCallback> callbacks, Action throwIfCancelled)
    {
        for (state.Epoch = 0; state.Epoch < state.Options.Epochs; state.Epoch++)
        {
            state.Task.Network.train();
            state.Task.StartEpoch(state.Epoch);
            for (state.Step = 0; state.Step < state.StepsPerEpoch; state.Step++)
            {
                throwIfCancelled();
                var loss = Step(state);
                state.MeanLoss = state.Step == 0 ? loss : state.MeanLoss + (loss - state.MeanLoss) / (state.Step + 1);
                callbacks.ForEach(c => c.OnStepEnd(state));
            }
            throwIfCancelled();
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

        var loss = state.Task.Loss(state.Step);
        var value = loss.ToDouble(); // the step's one synchronisation with the device
        if (!double.IsFinite(value))
            throw new TrainingDivergedException(state.Epoch + 1, state.Step + 1, value, state.LearningRate);

        loss.backward();
        if (options.GradientClip > 0)
            GradientClipping.ClipNorm(state.Optimizer.Gradients(), options.GradientClip);
        state.Optimizer.Step(state.LearningRate);
        return value;
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
