using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Training;

/// <summary>Counts the process's tensors and memory, and so must run while nothing else does.</summary>
[Collection("Alone")]
public class TrainingMemoryTests
{
    [Fact]
    public void TwoHundredStepsLeaveNativeMemoryLevel()
    {
        var options = new MoonsOptions { Epochs = 50, BatchSize = 1024, EarlyStoppingPatience = 0 };
        using var task = new MoonsTask(options, rows: 8 * 1024); // 400 steps
        var tensors = new List<long>();
        var memory = new List<long>();
        TrainingLoop.Run(task, options.Plan(), callbacks: new Watch(state =>
        {
            tensors.Add(Tensor.TotalCount);
            memory.Add(Environment.WorkingSet);
        }));

        // From the second epoch on (the first makes the copy of the best weights and warms up allocators).
        // Not more: what earlier tests left to the garbage collector may go at any time.
        Assert.InRange(tensors[^1], 0, tensors[1]);
        Assert.InRange(memory[^1] - memory[10], long.MinValue, 16L << 20);
    }

    [Fact]
    public void ATrainingFreesAllThatItMade()
    {
        var options = new MoonsOptions { Epochs = 2 };
        using var task = new MoonsTask(options);
        TrainingLoop.Run(task, options.Plan()); // what is made once per process
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        TrainingLoop.Run(task, options.Plan());
        Assert.InRange(Tensor.TotalCount, 0, before);
    }

    private sealed class Watch(Action<TrainingState> look) : ITrainingCallback
    {
        public bool OnEpochEnd(TrainingState state)
        {
            look(state);
            return false;
        }
    }
}

[CollectionDefinition("Alone", DisableParallelization = true)]
public sealed class AloneCollection;
