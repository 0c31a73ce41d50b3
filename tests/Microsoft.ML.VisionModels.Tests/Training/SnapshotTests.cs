using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class SnapshotTests
{
    private sealed class Interrupted : Exception;

    // In the first step, in the middle of an epoch, at its first step, and in its validation.
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 3)]
    [InlineData(2, 0)]
    [InlineData(2, 7)]
    public void ATrainingThatBreaksOffGoesOnAsIfItHadNot(int epoch, int step)
    {
        using var folder = TestFolders.Temporary();
        var expected = Train(null);
        Assert.Throws<Interrupted>(() => Train(folder.Path, (epoch, step)));
        var (weights, history) = Train(folder.Path);
        Assert.Equal(expected.Weights, weights);
        Assert.Equal(expected.History.Epochs.Select(e => (e.Epoch, e.TrainLoss, e.ValidationLoss)), history.Epochs.Select(e => (e.Epoch, e.TrainLoss, e.ValidationLoss)));
        Assert.Equal(expected.History.BestEpoch, history.BestEpoch);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void ATeacherGoesOnWithItsStudent()
    {
        using var folder = TestFolders.Temporary();
        var expected = Teach(null, null);
        Assert.Throws<Interrupted>(() => Teach(folder.Path, (1, 3)));
        Assert.Equal(expected, Teach(folder.Path, null));

        static float[] Teach(string? folder, (int, int)? breakAt)
        {
            var options = Options(folder, steps: 1);
            using var sample = new MoonsTask(options);
            using var scope = NewDisposeScope();
            var teacher = sample.Network.parameters().Select(p => zeros_like(p)).ToArray();
            using var task = new MoonsTask(options) { Teacher = teacher, OnLoss = (epoch, step, loss) => (epoch, step) == breakAt ? throw new Interrupted() : loss };
            TrainingLoop.Run(task, options.Plan());
            return [.. teacher.SelectMany(t => t.data<float>().ToArray())];
        }
    }

    [Fact]
    public void ACanceledTrainingCanGoOn()
    {
        using var folder = TestFolders.Temporary();
        using var source = new CancellationTokenSource();
        var options = Options(folder.Path, steps: 0);
        options.CancellationToken = source.Token;
        using (var task = new MoonsTask(options) { OnLoss = (epoch, step, loss) => CancelAt((1, 4), (epoch, step), loss), OnValidate = BestIsSecond })
            Assert.Equal(StopReason.Canceled, TrainingLoop.Run(task, options.Plan()).StopReason);
        Assert.Equal([Snapshots.FileName], Directory.GetFiles(folder.Path).Select(Path.GetFileName));

        Assert.Equal(Train(null).Weights, Train(folder.Path).Weights);

        T CancelAt<T>((int, int) at, (int, int) now, T loss)
        {
            if (now == at)
                source.Cancel();
            return loss;
        }
    }

    [Fact]
    public void WhatAKilledProcessLeftHalfWrittenIsClearedAway()
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File(Snapshots.FileName + ".0123.tmp"), "half");
        Train(folder.Path);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void AnotherTrainingIsRefusedAndTheDifferenceNamed()
    {
        using var folder = TestFolders.Temporary();
        Assert.Throws<Interrupted>(() => Train(folder.Path, (1, 3)));
        var error = Assert.Throws<InvalidOperationException>(() => Train(folder.Path, change: options => options.BatchSize = 64));
        Assert.Contains("BatchSize is 32, this one's 64", error.Message);
        Assert.Contains(Snapshots.FileName, error.Message);
        Train(folder.Path, change: options => options.SnapshotSteps = 100);   // no part in what is learned
    }

    [Fact]
    public void ADamagedSnapshotIsNamed()
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File(Snapshots.FileName), "no snapshot");
        Assert.Contains(Snapshots.FileName, Assert.Throws<CheckpointException>(() => Train(folder.Path)).Message);
    }

    [Fact]
    public void WhereADamagedSnapshotStoodIsToldOfToo()
    {
        using var folder = TestFolders.Temporary();
        using (var position = TorchSharp.torch.tensor(new byte[] { 1, 2, 3 }))
            SafetensorsWriter.Write(folder.File(Snapshots.FileName), [("position.json", position)]);
        Assert.Contains(Snapshots.FileName, Assert.Throws<CheckpointException>(() => Train(folder.Path)).Message);
    }

    [Fact]
    public void TwoTrainingsInOneFolderAreRefused()
    {
        using var folder = TestFolders.Temporary();
        var options = Options(folder.Path);
        InvalidOperationException? error = null;
        using var task = new MoonsTask(options) { OnLoss = (_, _, loss) => Second(loss) };
        TrainingLoop.Run(task, options.Plan());
        Assert.Contains(folder.Path, error!.Message);
        Train(folder.Path);     // and again when the first has ended

        T Second<T>(T loss)
        {
            error ??= Assert.Throws<InvalidOperationException>(() => Train(folder.Path));
            return loss;
        }
    }

    /// <summary>A step that is done is not done again, though whoever heard of it cancels by an exception.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ACallbackMayCancel(bool atEpochEnd)
    {
        using var folder = TestFolders.Temporary();
        using var source = new CancellationTokenSource();
        var options = Options(folder.Path, steps: 0);
        options.CancellationToken = source.Token;
        using (var task = new MoonsTask(options) { OnValidate = BestIsSecond })
            Assert.Equal(StopReason.Canceled, TrainingLoop.Run(task, options.Plan(), callbacks: new Cancels(source, atEpochEnd)).StopReason);

        var (expected, actual) = (Train(null), Train(folder.Path));
        Assert.Equal(expected.Weights, actual.Weights);
        Assert.Equal(expected.History.Epochs.Select(e => (e.Epoch, e.TrainLoss)), actual.History.Epochs.Select(e => (e.Epoch, e.TrainLoss)));
    }

    private sealed class Cancels(CancellationTokenSource source, bool atEpochEnd) : ITrainingCallback
    {
        public void OnStepEnd(TrainingState state) => Cancel(!atEpochEnd && state.GlobalStep == 11);

        public bool OnEpochEnd(TrainingState state)
        {
            Cancel(atEpochEnd && state.Epoch == 1);
            return false;
        }

        private void Cancel(bool now)
        {
            if (!now)
                return;
            source.Cancel();
            source.Token.ThrowIfCancellationRequested();
        }
    }

    [Fact]
    public void WhatCannotBeWrittenIsToldAndTrainingGoesOn()
    {
        using var folder = TestFolders.Temporary();
        File.WriteAllText(folder.File("taken"), "a file where a folder is wanted");
        var context = new MLContext(1);
        var warnings = new List<string>();
        context.Log += (_, e) =>
        {
            if (e.Kind == Runtime.ChannelMessageKind.Warning)
                warnings.Add(e.Message);
        };
        var (weights, history) = Train(folder.File("taken"), context: context);

        Assert.Equal((StopReason.Completed, 4), (history.StopReason, history.Epochs.Count));
        Assert.Equal(Train(null).Weights, weights);
        Assert.Contains(folder.File("taken"), history.SnapshotError);
        Assert.Contains(folder.File("taken"), Assert.Single(warnings, warning => warning.Contains("snapshot")));   // once, not at every step
    }

    [Fact]
    public void ALastWriteThatFailedIsToldThoughThereIsNothingToDelete()
    {
        using var folder = TestFolders.Temporary();
        var options = Options(folder.Path, steps: 1);
        using var task = new MoonsTask(options)
        {
            OnLoss = (epoch, step, loss) =>
            {
                // Where a folder stands, no file can be moved to; in the end it is away, and deleting does not fail.
                if ((epoch, step) == (0, 0))
                    Directory.CreateDirectory(folder.File(Snapshots.FileName));
                return loss;
            },
            OnValidate = (epoch, result) =>
            {
                if (epoch == 3)
                    Directory.Delete(folder.File(Snapshots.FileName));
                return result;
            },
        };
        Assert.Contains(folder.Path, TrainingLoop.Run(task, options.Plan()).SnapshotError);
    }

    private static MoonsOptions Options(string? folder, int steps = 2) =>
        new() { Epochs = 4, EmaDecay = 0.9, SnapshotFolder = folder, SnapshotSteps = steps, EarlyStoppingPatience = 0 };

    private static (float[] Weights, TrainingHistory History) Train(string? folder, (int, int)? interruption = null, Action<MoonsOptions>? change = null, MLContext? context = null)
    {
        var options = Options(folder);
        change?.Invoke(options);
        using var task = new MoonsTask(options)
        {
            OnLoss = (epoch, step, loss) => (epoch, step) == interruption ? throw new Interrupted() : loss,
            OnValidate = BestIsSecond,
        };
        var history = TrainingLoop.Run(task, options.Plan(), context);
        return (task.Weights(), history);
    }

    /// <summary>Another best epoch than the last, so that its weights must have survived too.</summary>
    private static ValidationResult BestIsSecond(int epoch, ValidationResult result) => result with { Score = -Math.Abs(epoch - 1) };
}
