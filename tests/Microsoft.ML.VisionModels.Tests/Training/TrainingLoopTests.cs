using System.Reflection;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class TrainingLoopTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Learns(int seed)
    {
        var options = new MoonsOptions { Epochs = 40, Seed = seed };
        using var task = new MoonsTask(options);
        Assert.InRange(task.Evaluate().Score!.Value, 0, 0.9);

        var history = TrainingLoop.Run(task, options.Plan());

        Assert.InRange(task.Evaluate().Score!.Value, 0.97, 1);
        Assert.True(history.Epochs[^1].TrainLoss < history.Epochs[0].TrainLoss / 2);
        Assert.Equal(Enumerable.Range(1, history.Epochs.Count), history.Epochs.Select(e => e.Epoch));
        Assert.False(task.Network.training);
        Assert.True(history.Elapsed.TotalSeconds >= history.Epochs.Sum(e => e.Seconds));
    }

    [Fact]
    public void RestoresTheWeightsOfTheBestEpochWhenItStopsEarly()
    {
        var options = new MoonsOptions { Epochs = 50, EarlyStoppingPatience = 3 };
        float[] best = [];
        MoonsTask? task = null;
        task = new MoonsTask(options)
        {
            OnValidate = (epoch, result) =>
            {
                if (epoch == 4)
                    best = task!.Weights();
                return result with { Score = epoch <= 4 ? epoch : 1 };
            },
        };
        using (task)
        {
            var history = TrainingLoop.Run(task, options.Plan());

            Assert.Equal(StopReason.EarlyStopped, history.StopReason);
            Assert.Equal(5, history.BestEpoch);
            Assert.Equal(8, history.Epochs.Count);
            Assert.Equal(best, task.Weights()); // the batch norm's running statistics are among them
        }
    }

    [Fact]
    public void RestoresTheBestWeightsOfATrainingThatRanToItsEnd()
    {
        var options = new MoonsOptions { Epochs = 5, EarlyStoppingPatience = 0 };
        using var task = new MoonsTask(options) { OnValidate = (epoch, result) => result with { Score = -epoch } };
        using var oneEpoch = new MoonsTask(options);
        float[] afterFirst = [];
        var history = TrainingLoop.Run(task, options.Plan(), callbacks: new Callback { EpochEnd = s => { if (s.Epoch == 0) afterFirst = task.Weights(); } });

        Assert.Equal(StopReason.Completed, history.StopReason);
        Assert.Equal((1, 5), (history.BestEpoch, history.Epochs.Count));
        Assert.Equal(afterFirst, task.Weights());
    }

    [Fact]
    public void KeepsTheLastWeightsWithoutValidation()
    {
        var options = new MoonsOptions { Epochs = 3 };
        using var task = new MoonsTask(options) { HasValidation = false };
        float[] last = [];
        var history = TrainingLoop.Run(task, options.Plan(), callbacks: new Callback { EpochEnd = _ => last = task.Weights() });

        Assert.Null(history.BestEpoch);
        Assert.Equal(3, history.Epochs.Count);
        Assert.All(history.Epochs, e => Assert.Null(e.ValidationLoss));
        Assert.Equal(last, task.Weights());
    }

    [Fact]
    public void StopsWithinAStepWhenCanceledAndKeepsTheBestWeights()
    {
        using var source = new CancellationTokenSource();
        var options = new MoonsOptions { CancellationToken = source.Token };
        var steps = 0;
        float[] best = [];
        using var task = new MoonsTask(options)
        {
            OnLoss = (epoch, step, loss) =>
            {
                steps++;
                if ((epoch, step) == (2, 3))
                    source.Cancel();
                return loss;
            },
            OnValidate = (epoch, result) => result with { Score = -epoch },
        };
        var history = TrainingLoop.Run(task, options.Plan(), callbacks: new Callback { EpochEnd = s => { if (s.Epoch == 0) best = task.Weights(); } });

        Assert.Equal(StopReason.Canceled, history.StopReason);
        Assert.Equal(2 * task.StepsPerEpoch + 4, steps);
        Assert.Equal((2, 1), (history.Epochs.Count, history.BestEpoch));
        Assert.Equal(best, task.Weights());
    }

    [Fact]
    public void KeepsThePresentWeightsWhenCanceledBeforeTheFirstValidation()
    {
        using var source = new CancellationTokenSource();
        var options = new MoonsOptions { CancellationToken = source.Token };
        float[] present = [];
        using var task = new MoonsTask(options);
        var history = TrainingLoop.Run(task, options.Plan(), callbacks: new Callback
        {
            StepEnd = s =>
            {
                present = task.Weights();
                if (s.Step == 2)
                    source.Cancel();
            },
        });

        Assert.Equal(StopReason.Canceled, history.StopReason);
        Assert.Empty(history.Epochs);
        Assert.Null(history.BestEpoch);
        Assert.Equal(present, task.Weights());
    }

    [Fact]
    public void IsCanceledInTheMiddleOfValidation()
    {
        using var source = new CancellationTokenSource();
        var options = new MoonsOptions { CancellationToken = source.Token };
        using var task = new MoonsTask(options)
        {
            OnValidate = (epoch, result) =>
            {
                if (epoch == 1)
                    source.Cancel();
                source.Token.ThrowIfCancellationRequested();
                return result;
            },
        };
        var history = TrainingLoop.Run(task, options.Plan());
        Assert.Equal((StopReason.Canceled, 1), (history.StopReason, history.Epochs.Count));
    }

    // ML.NET keeps this to itself; its AutoML calls it when a trial's time is over.
    [Fact]
    public void StopsWhenTheEnvironmentCancels()
    {
        var context = new MLContext(1);
        var environment = (IHostEnvironment)typeof(MLContext).GetField("_env", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(context)!;
        var cancel = typeof(MLContext).GetMethod("CancelExecution", BindingFlags.Instance | BindingFlags.NonPublic)!;
        var options = new MoonsOptions();
        using var task = new MoonsTask(options)
        {
            OnLoss = (epoch, _, loss) =>
            {
                if (epoch == 1)
                    cancel.Invoke(context, []);
                return loss;
            },
        };
        var history = TrainingLoop.Run(task, options.Plan(), environment.Register("Trainer"));
        Assert.Equal((StopReason.Canceled, 1), (history.StopReason, history.Epochs.Count));
    }

    [Fact]
    public void LetsForeignCancellationsThrough()
    {
        var options = new MoonsOptions();
        using var task = new MoonsTask(options) { OnLoss = (_, _, _) => throw new TaskCanceledException("a request timed out") };
        Assert.Throws<TaskCanceledException>(() => TrainingLoop.Run(task, options.Plan()));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void NamesTheStepAtWhichTheLossIsNoNumber(double factor)
    {
        var options = new MoonsOptions();
        float[] before = [];
        MoonsTask? task = null;
        task = new MoonsTask(options)
        {
            OnLoss = (epoch, step, loss) =>
            {
                before = task!.Weights();
                return (epoch, step) == (1, 2) ? loss.Mul(factor) : loss;
            },
        };
        using (task)
        {
            var error = Assert.Throws<TrainingDivergedException>(() => TrainingLoop.Run(task, options.Plan()));
            Assert.Equal((2, 3), (error.Epoch, error.Step));
            Assert.Equal(factor, error.Loss);
            Assert.Contains("epoch 2, step 3", error.Message);
            Assert.Contains(nameof(TrainerOptions.LearningRate), error.Message);
        }
    }

    [Fact]
    public void EqualSeedsGiveEqualWeightsAndOthersDoNot()
    {
        float[] Train(int seed)
        {
            var options = new MoonsOptions { Epochs = 3, Seed = seed };
            using var task = new MoonsTask(options);
            TrainingLoop.Run(task, options.Plan());
            return task.Weights();
        }

        var first = Train(5);
        Assert.Equal(first, Train(5));
        Assert.NotEqual(first, Train(6));
    }

    [Fact]
    public void ACallbackCanEndTraining()
    {
        var options = new MoonsOptions();
        using var task = new MoonsTask(options);
        var history = TrainingLoop.Run(task, options.Plan(), callbacks: new Callback { Stop = s => s.Epoch == 1 });
        Assert.Equal((StopReason.EarlyStopped, 2), (history.StopReason, history.Epochs.Count));
    }

    [Fact]
    public void FollowsTheSchedule()
    {
        var options = new MoonsOptions { Epochs = 4, WarmupFraction = 0.25 };
        using var task = new MoonsTask(options) { HasValidation = false };
        var rates = new List<double>();
        TrainingLoop.Run(task, options.Plan(), callbacks: new Callback { StepEnd = s => rates.Add(s.LearningRate) });

        var total = 4 * task.StepsPerEpoch;
        Assert.Equal(Enumerable.Range(0, total).Select(i => options.LearningRate * new CosineSchedule(0.25).ShareAt(i, total)), rates);
    }

    [Theory]
    [InlineData(20, 3)] // two and a half epochs of eight steps
    [InlineData(8, 1)]
    [InlineData(3, 1)]
    [InlineData(200, 25)] // more than the epochs: steps are what counts
    public void StepsAreABudgetOfTheirOwn(int steps, int epochs)
    {
        var options = new MoonsOptions { Epochs = 12, Steps = steps, WarmupFraction = 0 };
        using var task = new MoonsTask(options);
        var rates = new List<double>();
        var history = TrainingLoop.Run(task, options.Plan(), callbacks: new Callback { StepEnd = s => rates.Add(s.LearningRate) });

        Assert.Equal(8, task.StepsPerEpoch);
        Assert.Equal(Enumerable.Range(0, steps).Select(i => options.LearningRate * new CosineSchedule(0).ShareAt(i, steps)), rates);
        Assert.Equal((StopReason.Completed, epochs), (history.StopReason, history.Epochs.Count));
        Assert.NotNull(history.Epochs[^1].ValidationLoss); // an epoch that ends early is judged as any other
    }

    [Fact]
    public void MinutesEndATrainingWithALowRate()
    {
        var options = new MoonsOptions { Epochs = 1_000_000, Minutes = 0.02, WarmupFraction = 0, EarlyStoppingPatience = 0 };
        using var task = new MoonsTask(options);
        var rates = new List<double>();
        var history = TrainingLoop.Run(task, options.Plan(), callbacks: new Callback { StepEnd = s => rates.Add(s.LearningRate) });

        Assert.Equal(StopReason.Completed, history.StopReason);
        Assert.True(history.Elapsed >= TimeSpan.FromMinutes(0.02));
        Assert.True(history.Epochs.Count < options.Epochs);
        Assert.Equal(options.LearningRate, rates[0], options.LearningRate / 10);
        Assert.Equal(rates.OrderDescending(), rates);
        Assert.True(rates[^1] < options.LearningRate / 2, $"The last rate is {rates[^1]}.");
    }

    [Fact]
    public void WhatIsLeftOfTheEpochsCountsWhereMinutesAreMore()
    {
        var plain = new MoonsOptions { Epochs = 2 };
        var bounded = new MoonsOptions { Epochs = 2, Minutes = 1000 };
        using var expected = new MoonsTask(plain);
        using var task = new MoonsTask(bounded);
        TrainingLoop.Run(expected, plain.Plan());
        TrainingLoop.Run(task, bounded.Plan());
        Assert.Equal(expected.Weights(), task.Weights());
    }

    [Fact]
    public void AnotherOptimizerIsAPropertyOfThePlan()
    {
        var options = new MoonsOptions { Epochs = 40, LearningRate = 0.1 };
        using var task = new MoonsTask(options);
        TrainingLoop.Run(task, options.Plan() with { Optimizer = groups => new Sgd(groups) });
        Assert.InRange(task.Evaluate().Score!.Value, 0.97, 1);
    }

    [Fact]
    public void ReportsProgressWithTheValidationMetrics()
    {
        var reports = new List<TrainingProgress>();
        var options = new MoonsOptions { Epochs = 3, Progress = new Reports<TrainingProgress>(reports.Add) };
        using var task = new MoonsTask(options);
        TrainingLoop.Run(task, options.Plan());

        var ends = reports.Where(r => r.Step == r.Steps).ToArray();
        Assert.Equal([1, 2, 3], ends.Select(r => r.Epoch));
        Assert.All(ends, r =>
        {
            Assert.Equal((3, task.StepsPerEpoch), (r.Epochs, r.Steps));
            Assert.True(r.ValidationMetrics["Accuracy"] is > 0 and <= 1);
            Assert.True(r.SamplesPerSecond > 0 && r.Loss > 0 && r.LearningRate > 0 && r.ValidationLoss > 0);
        });
        Assert.Equal(TimeSpan.Zero, ends[^1].Remaining);
        Assert.True(ends[0].Remaining > TimeSpan.Zero);
    }

    [Fact]
    public void WritesIntoTheLogOfTheContext()
    {
        var context = new MLContext(1);
        var lines = new List<LoggingEventArgs>();
        context.Log += (_, e) => lines.Add(e);
        var options = new MoonsOptions { Epochs = 30, EarlyStoppingPatience = 1 };
        using var task = new MoonsTask(options) { OnValidate = (epoch, result) => result with { Score = -epoch } };
        TrainingLoop.Run(task, options.Plan(), context);

        Assert.Contains(lines, l => l.Kind == ChannelMessageKind.Info && l.Message.Contains("Epoch 2/30: loss ") && l.Message.Contains("Accuracy "));
        Assert.Contains(lines, l => l.Kind == ChannelMessageKind.Warning && l.Message.Contains("stopped early after epoch 2 of 30; the weights of epoch 1 are kept"));
    }

    [Fact]
    public void RefusesATaskWithoutRows()
    {
        var options = new MoonsOptions();
        using var task = new MoonsTask(options, rows: 0);
        Assert.Throws<InvalidOperationException>(() => TrainingLoop.Run(task, options.Plan()));
    }

    private sealed class Callback : ITrainingCallback
    {
        public Action<TrainingState>? StepEnd { get; init; }

        public Action<TrainingState>? EpochEnd { get; init; }

        public Predicate<TrainingState>? Stop { get; init; }

        public void OnStepEnd(TrainingState state) => StepEnd?.Invoke(state);

        public bool OnEpochEnd(TrainingState state)
        {
            EpochEnd?.Invoke(state);
            return Stop?.Invoke(state) == true;
        }
    }
}
