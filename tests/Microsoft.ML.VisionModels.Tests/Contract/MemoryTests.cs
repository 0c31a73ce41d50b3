using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>Counts the process's tensors and memory, and so runs alone.</summary>
/// <remarks>
/// One image of 128 x 128 is a tensor of 196 kB: to leak one in ten calls would cost more than the slack. A cache that fills
/// may take as much once; a leak does so in every round.
/// </remarks>
[Collection("Alone")]
public partial class MemoryTests
{
    private const int ImageSize = 128;
    private const long Slack = 8L << 20;
    private const int Rounds = 3;

    [Theory, EveryEstimator]
    public void AThousandPredictionsLeaveMemoryLevel(string estimator)
    {
        var model = Fit(estimator, options => options.Epochs(1));
        using var owned = model as IDisposable;
        var rows = ContractData.Rows(10);
        var predict = PredictionEngineTests.Engines<ContractData.Row>(model, new MLContext().Data.LoadFromEnumerable(rows))[0];
        AssertLevel(calls: 1000, i => predict(rows[i % rows.Count]));
    }

    [Theory, EveryEstimator]
    public void AThousandRowsLeaveMemoryLevel(string estimator)
    {
        var model = Fit(estimator, options => options.Epochs(1).For<ScoringOptions>(scoring => scoring.ScoringBatchSize = 10));
        using var owned = model as IDisposable;
        var data = ContractData.Images(new MLContext(), 10);
        AssertLevel(calls: 100, i => ContractData.Scores(model, data));
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.Trains))]
    public void TwoHundredStepsLeaveMemoryLevel(string estimator)
    {
        var at = new Dictionary<int, (long Tensors, long Memory)>();
        var model = Fit(estimator, options => options.For<TrainerOptions>(trainer =>
        {
            (trainer.Epochs, trainer.BatchSize, trainer.EarlyStoppingPatience) = (100, 14, 0);      // 28 rows less 3 held out: 2 steps an epoch
            trainer.Progress = new Reports<TrainingProgress>(progress => at[progress.Epoch] = Measure());
        }));
        using var owned = model as IDisposable;

        Assert.InRange(at[100].Tensors, 0, at[20].Tensors); // what earlier tests left to the garbage collector may go at any time
        var growth = Math.Min(at[60].Memory - at[20].Memory, at[100].Memory - at[60].Memory);
        Assert.True(growth < Slack, $"Memory grew by {growth >> 20} MB in 80 steps.");
    }

    [Theory, EveryEstimator]
    public void DisposingFreesTheMemory(string estimator)
    {
        // Not by the count of tensors: TorchSharp counts each nn.Parameter twice and takes off one.
        using var folder = TestFolders.Temporary();
        var data = ContractData.Images(new MLContext(), 5);
        var model = Fit(estimator);
        new MLContext().Model.Save(model, null, folder.File("model.zip"));
        var weights = Weights(model).ToArray();
        Assert.NotEmpty(weights);
        Assert.All(weights, weight => Assert.False(weight.Tensor.IsInvalid, weight.Name));
        ((IDisposable)model).Dispose();
        Assert.All(weights, weight => Assert.True(weight.Tensor.IsInvalid, weight.Name));

        var calls = (int)(6 * Slack / new FileInfo(folder.File("model.zip")).Length) + 1;
        AssertLevel(calls, i =>
        {
            var loaded = new MLContext().Model.Load(folder.File("model.zip"), out _);
            using var owned = loaded as IDisposable;
            ContractData.Scores(loaded, data);
        }, countTensors: false);
    }

    private static ITransformer Fit(string estimator, Action<OptionBag>? change = null)
    {
        var context = new MLContext(seed: 1);
        var options = EstimatorCase.Of(estimator).Options(ImageSize);
        change?.Invoke(options);
        return EstimatorCase.Of(estimator).Create(context, options).Fit(ContractData.Images(context, 28));
    }

    /// <summary>The tensors of all modules that an object holds, itself or in objects of the package.</summary>
    private static IEnumerable<(string Name, torch.Tensor Tensor)> Weights(object owner)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var next = new Stack<object>([owner]);
        while (next.TryPop(out var one))
        {
            if (!seen.Add(one))
                continue;
            if (one is torch.nn.Module module)
            {
                foreach (var (name, tensor) in module.state_dict())
                    yield return ($"{module.GetType().Name}.{name}", tensor);
            }
            else if (one is torch.Tensor tensor)
            {
                yield return ("a tensor", tensor);
            }
            else if (one.GetType().Assembly == typeof(BatchTransformer).Assembly)
            {
                for (var type = one.GetType(); type is not null; type = type.BaseType)
                {
                    foreach (var value in type.GetFields(Instruction.Declared & ~BindingFlags.Static).Select(field => field.GetValue(one)).OfType<object>())
                        next.Push(value);
                }
            }
        }
    }

    private static void AssertLevel(int calls, Action<int> call, bool countTensors = true)
    {
        for (var i = 0; i < calls / 10; i++)
            call(i);
        var growth = Slack;
        for (var round = 0; round < Rounds && growth >= Slack; round++)
        {
            var before = Measure();
            for (var i = 0; i < calls; i++)
                call(i);
            var after = Measure();
            if (countTensors)
                Assert.InRange(after.Tensors, long.MinValue, before.Tensors);   // what earlier tests left to the garbage collector may go at any time
            growth = after.Memory - before.Memory;
        }
        Assert.True(growth < Slack, $"Memory grew by {growth >> 20} MB in {calls} calls.");
    }

    public static (long Tensors, long Memory) Measure()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return (torch.Tensor.TotalCount, MemoryInUse());
    }

    [Fact]
    public void WhatNobodyFreesIsMeasured()
    {
        var before = Measure().Memory;
        using (var small = torch.zeros(1 << 20))        // 4 MB lie in the heap, 256 MB in a mapping of their own
        using (var large = torch.zeros(1 << 26))
            Assert.InRange(Measure().Memory - before, 260 << 20, 262 << 20);
        Assert.InRange(Measure().Memory - before, -(1 << 20), 1 << 20);
        var managed = new byte[8 << 20];
        Assert.InRange(Measure().Memory - before, 7 << 20, 9 << 20);
        GC.KeepAlive(managed);
    }

    // What was asked for and not given back. Resident memory would count what the C library keeps for later as well: in a process with
    // many threads that runs for long, holes between what is used make that a matter of chance.
    private static long MemoryInUse()
    {
        try
        {
            if (OperatingSystem.IsLinux())
                return (long)NativeMemory().Total + GC.GetTotalMemory(forceFullCollection: false);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library, such as musl.
        }
        return Environment.WorkingSet;
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    private static partial MallocInfo NativeMemory();

    // malloc.h, struct mallinfo2
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct MallocInfo
    {
        private readonly nuint _arena, _ordblks, _smblks, _hblks, _hblkhd, _usmblks, _fsmblks, _uordblks, _fordblks, _keepcost;

        /// <summary>Bytes in mappings of their own, and in the heaps.</summary>
        public nuint Total => _hblkhd + _uordblks;
    }
}
