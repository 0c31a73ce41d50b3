using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>
/// Learning to tell classes apart: cross entropy with soft targets over augmented batches, which are made ahead of the network;
/// accuracy on the validation rows.
/// </summary>
internal sealed class ClassificationTask : ITrainingTask, IDisposable
{
    // Independent streams of a step's random numbers; 0 is the order, 2 the network's own.
    private const int AugmentationStream = 1;

    private readonly TrainableClassifierModel _model;
    private readonly ImageProcessor _processor;
    private readonly ImageClassifierOptions _options;
    private readonly ImageRows _train, _validation;
    private readonly int _seed;
    private readonly Device _device;
    private readonly Augmenter _augmenter;
    private readonly float[] _classWeights;
    private Prefetcher<TrainingBatch>? _batches;
    private TrainingBatch? _batch;

    /// <param name="model">What learns.</param>
    /// <param name="processor">The preprocessing.</param>
    /// <param name="options">How to train.</param>
    /// <param name="labels">The classes.</param>
    /// <param name="train">The rows to learn from.</param>
    /// <param name="validation">The rows to judge by; may be none.</param>
    /// <param name="seed">The seed of order and augmentation.</param>
    /// <param name="generator">The network's own random numbers, for dropout.</param>
    /// <param name="device">Where the network is.</param>
    public ClassificationTask(
        TrainableClassifierModel model, ImageProcessor processor, ImageClassifierOptions options, LabelSet labels,
        ImageRows train, ImageRows validation, int seed, Generator generator, Device device)
    {
        (_model, _processor, _options, _train, _validation, _seed, _device) = (model, processor, options, train, validation, seed, device);
        _augmenter = new(options.AugmentationFor(new(train.Set.Height, train.Set.Width)));
        _classWeights = VisionModels.Pipelines.ClassWeights.Of(options, labels, train.ClassesOfRows());
        Generators = [generator];
        ParameterGroups = Training.ParameterGroups.Of(model.Network, options.WeightDecay, model.IsSparedFromDecay,
            name => Training.ParameterGroups.LayerDecay(options.LayerDecay, model.LayerOf(name), model.Depth));
        Identity = new Dictionary<string, string>
        {
            ["seed"] = Text(seed),
            ["network"] = model.Config,
            ["classes"] = string.Join(", ", labels.Names),
            ["order of labels"] = train.Set.LabelsDigest(),
            ["order of validation labels"] = validation.Set.LabelsDigest(),
            ["number of training rows"] = Text(train.Count),
            ["number of validation rows"] = Text(validation.Count),
            ["class weights"] = string.Join(" ", _classWeights.Select(Text)),
            ["preprocessing"] = processor.Settings.ToHuggingFace(),
        };

        static string Text<T>(T number) where T : IFormattable => number.ToString(null, CultureInfo.InvariantCulture);
    }

    public nn.Module Network => _model.Network;

    public IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    public IReadOnlyDictionary<string, string> Identity { get; }

    public IReadOnlyList<Generator> Generators { get; }

    public int StepsPerEpoch => (SamplesPerEpoch + _options.BatchSize - 1) / _options.BatchSize;

    public int SamplesPerEpoch => _train.Count;

    public void StartEpoch(int epoch, int firstStep)
    {
        _batches?.Dispose();
        _batches = Batches(epoch, firstStep);
    }

    /// <summary>An epoch's batches from a step on, made ahead of their use.</summary>
    internal Prefetcher<TrainingBatch> Batches(int epoch, int firstStep)
    {
        var order = _options.ClassBalance == ClassBalance.Sampling
            ? EpochOrder.Balanced(_train.ClassesOfRows(), _seed, epoch)
            : EpochOrder.Shuffle(_train.Count, _seed, epoch);
        var steps = order.Select(i => _train.Indices[i]).Chunk(_options.BatchSize).ToArray();
        return new(firstStep, steps.Length, step => MakeBatch(steps[step], epoch, step));
    }

    public Tensor? Loss(int step, int part, int parts)
    {
        if (part == 0)
        {
            _batch?.Dispose();
            _batch = _batches!.Next();
        }
        return Loss(_batch!, part, parts);
    }

    /// <summary>The loss of one part of a batch; null where the batch has fewer rows than parts.</summary>
    internal Tensor? Loss(TrainingBatch batch, int part, int parts)
    {
        if (batch.Part(part, parts) is not var (pixels, targets))
            return null;
        return -(Logits(pixels).log_softmax(1) * targets.to(_device)).sum();
    }

    public ValidationResult? Validate(CancellationToken cancellation)
    {
        if (_validation.Count == 0)
            return null;
        var (right, loss) = (0L, 0.0);
        var chunks = _validation.Indices.Chunk(_options.BatchSize).ToArray();
        using var batches = new Prefetcher<TrainingBatch>(0, chunks.Length, i => MakeValidationBatch(chunks[i]));
        foreach (var _ in chunks)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var batch = batches.Next();
            var (logits, targets) = (Logits(batch.Pixels), batch.Targets.argmax(1).to(_device));
            right += logits.argmax(1).eq(targets).sum().item<long>();
            loss += F.cross_entropy(logits, targets, reduction: nn.Reduction.Sum).Item();
        }
        double count = _validation.Count;
        return new(right / count, loss / count, new Dictionary<string, double> { ["Accuracy"] = right / count });
    }

    public void Dispose()
    {
        _batches?.Dispose();
        _batch?.Dispose();
    }

    private Tensor Logits(Tensor pixels) => _model.Forward(_processor.Normalize(pixels.to(_device))).Logits.to(ScalarType.Float32);

    /// <summary>On a background thread: the augmented images of a step, and targets of which all together sum up to 1.</summary>
    private TrainingBatch MakeBatch(int[] rows, int epoch, int step)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var generator = EpochOrder.Generator(_seed, epoch, AugmentationStream, step);
        var (pixels, shares) = _augmenter.Mix(_augmenter.Apply(_train.Set.Pixels(rows), generator), OneHot(_train, rows), generator);
        return new(pixels.DetachFromDisposeScope(), Targets(shares, tensor(_classWeights), _options.LabelSmoothing).DetachFromDisposeScope());
    }

    private TrainingBatch MakeValidationBatch(int[] rows)
    {
        using var scope = NewDisposeScope();
        return new(_validation.Set.Pixels(rows).DetachFromDisposeScope(), OneHot(_validation, rows).DetachFromDisposeScope());
    }

    /// <summary>Weighted and smoothed targets [B, classes] that all together sum up to 1, or to 0 where no row has a weight.</summary>
    /// <param name="shares">How much of each class a row is, [B, classes].</param>
    /// <param name="weights">How much each class counts, [classes].</param>
    /// <param name="smoothing">The share of a row's weight that is spread over all classes alike, whatever these count.</param>
    internal static Tensor Targets(Tensor shares, Tensor weights, double smoothing)
    {
        using var scope = NewDisposeScope();
        var weighted = shares * weights;
        var smoothed = weighted.Mul(1 - smoothing).Add(weighted.sum(1, keepdim: true).Mul(smoothing / weights.shape[0]));
        return (smoothed / smoothed.sum().ClampMin(1e-12)).MoveToOuterDisposeScope();
    }

    private Tensor OneHot(ImageRows rows, int[] indices) =>                 // [B, classes]
        F.one_hot(tensor(Array.ConvertAll(indices, i => (long)rows.Classes[i])), _classWeights.Length).to(ScalarType.Float32);
}
