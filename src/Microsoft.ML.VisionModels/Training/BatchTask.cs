using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// Learning from batches of images, which are made ahead of the network on other threads: the order of rows, the parts of a batch,
/// validation. What a batch holds and what is learned from it are the task's own.
/// </summary>
internal abstract class BatchTask : ITrainingTask, IDisposable
{
    // Independent streams of a step's random numbers; 0 is the order, 2 the network's own.
    private const int AugmentationStream = 1;

    private readonly int[] _train, _validation;     // rows
    private Prefetcher<TrainingBatch>? _batches;
    private TrainingBatch? _batch;

    /// <param name="network">What learns.</param>
    /// <param name="plan">How to train.</param>
    /// <param name="train">The numbers of the rows to learn from.</param>
    /// <param name="validation">The numbers of the rows to judge by, of another set or of the same; may be none.</param>
    /// <param name="generator">The network's own random numbers, for dropout.</param>
    protected BatchTask(nn.Module network, TrainingPlan plan, int[] train, int[] validation, Generator generator)
    {
        (Network, Plan, _train, _validation) = (network, plan, train, validation);
        Generators = [generator];
    }

    public nn.Module Network { get; }

    public abstract IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    public abstract IReadOnlyDictionary<string, string> Identity { get; }

    public IReadOnlyList<Generator> Generators { get; }

    public virtual int StepsPerEpoch => (SamplesPerEpoch + Plan.BatchSize - 1) / Plan.BatchSize;

    public int SamplesPerEpoch => _train.Length;

    protected TrainingPlan Plan { get; }

    public virtual void StartEpoch(int epoch, int firstStep)
    {
        _batches?.Dispose();
        _batches = Batches(epoch, firstStep);
    }

    /// <summary>An epoch's batches from a step on, made ahead of their use.</summary>
    internal Prefetcher<TrainingBatch> Batches(int epoch, int firstStep)
    {
        var steps = Order(epoch).Select(i => _train[i]).Chunk(Plan.BatchSize).ToArray();
        return new(firstStep, StepsPerEpoch, step => Make(() =>
        {
            using var generator = EpochOrder.Generator(Plan.Seed, epoch, AugmentationStream, step);
            return MakeBatch(steps[step], generator);
        }));
    }

    public Tensor? Loss(int step, int part, int parts)
    {
        if (part == 0)
        {
            _batch?.Dispose();
            _batch = _batches!.Next();
        }
        return _batch!.Part(part, parts) is { } some ? Loss(some, _batch.Count) : null;
    }

    public virtual ValidationResult? Validate(CancellationToken cancellation)
    {
        if (_validation.Length == 0)
            return null;
        var (right, loss) = (0.0, 0.0);
        var chunks = _validation.Chunk(Plan.BatchSize).ToArray();
        using var batches = new Prefetcher<TrainingBatch>(0, chunks.Length, i => Make(() => MakeValidationBatch(chunks[i])));
        foreach (var _ in chunks)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var batch = batches.Next();
            var judged = Judge(batch);
            (right, loss) = (right + judged.Right, loss + judged.Loss);
        }
        double count = _validation.Length;
        return new(right / count, loss / count, new Dictionary<string, double> { ["Accuracy"] = right / count });
    }

    public virtual void AfterGradients(int epoch)
    {
    }

    public virtual void AfterStep(long step, long totalSteps)
    {
    }

    public void Dispose()
    {
        _batches?.Dispose();
        _batch?.Dispose();
    }

    /// <summary>The places of the training rows in the order of an epoch.</summary>
    protected virtual long[] Order(int epoch) => EpochOrder.Shuffle(SamplesPerEpoch, Plan.Seed, epoch);

    /// <summary>The batch of some rows, augmented. On a background thread, without gradients, in a dispose scope.</summary>
    protected abstract TrainingBatch MakeBatch(int[] rows, Generator generator);

    /// <summary>The batch of some validation rows. On a background thread, without gradients, in a dispose scope.</summary>
    protected abstract TrainingBatch MakeValidationBatch(int[] rows);

    /// <summary>The share that a part has in the loss of its batch, a scalar.</summary>
    /// <param name="part">A batch, or a part of one.</param>
    /// <param name="count">The rows of the whole batch.</param>
    protected internal abstract Tensor Loss(TrainingBatch part, int count);

    /// <summary>How many rows of a batch are right, and the sum of their losses.</summary>
    protected abstract (double Right, double Loss) Judge(TrainingBatch batch);

    // What the task makes may lie in a scope of its own; the batch outlives it.
    private static TrainingBatch Make(Func<TrainingBatch> make)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var batch = make();
        batch.Pixels.DetachFromDisposeScope();
        batch.Payload?.DetachFromDisposeScope();
        return batch;
    }
}
