using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Learning to tell classes apart: augmented batches, cross entropy, accuracy on the validation rows.</summary>
internal sealed class ClassificationTask : ITrainingTask, IDisposable
{
    private readonly ClassifierModel _model;
    private readonly ImageProcessor _processor;
    private readonly ImageClassifierOptions _options;
    private readonly Rows _train, _validation;
    private readonly int _seed;
    private readonly Device _device;
    private long[] _order = [];
    private Generator? _augmentation;

    public ClassificationTask(ClassifierModel model, ImageProcessor processor, ImageClassifierOptions options, Rows train, Rows validation, int seed, Device device)
    {
        (_model, _processor, _options, _train, _validation, _seed, _device) = (model, processor, options, train, validation, seed, device);
        ParameterGroups = Training.ParameterGroups.WithDecay(model.Network, options.WeightDecay, model.IsSparedFromDecay);
    }

    public nn.Module Network => _model.Network;

    public IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    public int StepsPerEpoch => (SamplesPerEpoch + _options.BatchSize - 1) / _options.BatchSize;

    public int SamplesPerEpoch => _train.Indices.Length;

    public void StartEpoch(int epoch)
    {
        _order = EpochOrder.Shuffle(SamplesPerEpoch, _seed, epoch);
        _augmentation?.Dispose();
        _augmentation = EpochOrder.Generator(_seed, epoch, stream: 1);
    }

    public Tensor Loss(int step)
    {
        var first = step * _options.BatchSize;
        var rows = Array.ConvertAll(_order[first..Math.Min(first + _options.BatchSize, _order.Length)], i => _train.Indices[i]);
        var pixels = _train.Set.Pixels(rows);                               // [B, 3, H, W] uint8
        if (_options.HorizontalFlip)
            pixels = RandomFlip.Horizontal(pixels, _augmentation!);
        if (_options.CropPadding > 0)
            pixels = RandomCrop.Padded(pixels, _options.CropPadding, _augmentation!);
        var logits = Logits(pixels);
        return F.cross_entropy(logits, Targets(_train, rows), label_smoothing: _options.LabelSmoothing);
    }

    public ValidationResult? Validate(CancellationToken cancellation)
    {
        if (_validation.Indices.Length == 0)
            return null;
        var (right, loss) = (0L, 0.0);
        foreach (var rows in _validation.Indices.Chunk(_options.BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (logits, targets) = (Logits(_validation.Set.Pixels(rows)), Targets(_validation, rows));
            right += logits.argmax(1).eq(targets).sum().ToInt64();
            loss += F.cross_entropy(logits, targets, reduction: nn.Reduction.Sum).ToDouble();
        }
        double count = _validation.Indices.Length;
        return new(right / count, loss / count, new Dictionary<string, double> { ["Accuracy"] = right / count });
    }

    public void Dispose() => _augmentation?.Dispose();

    private Tensor Logits(Tensor pixels) => _model.Forward(_processor.Normalise(pixels.to(_device))).Logits;

    private Tensor Targets(Rows rows, long[] indices) => tensor(indices.Select(i => (long)rows.Classes[i]).ToArray(), device: _device);

    /// <summary>Some rows of a set: the class of each of the set's rows, and the indices of those that are meant.</summary>
    internal sealed record Rows(ImageSet Set, int[] Classes, long[] Indices);
}
