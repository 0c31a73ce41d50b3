using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>
/// Learning which text belongs to which image of a batch. Batches are made ahead of the network; the accuracy on the validation rows is
/// how often the image's own text, or one that says the same, is the likeliest of its batch.
/// </summary>
internal sealed class ClipTrainingTask : ITrainingTask, IDisposable
{
    private const int AugmentationStream = 1;   // 0 is the order, 2 the network's own

    private readonly ClipNetwork _network;
    private readonly ImageProcessor _processor;
    private readonly ClipTrainerOptions _options;
    private readonly ClipPairs _train, _validation;
    private readonly int _seed;
    private readonly Device _device;
    private readonly Augmenter _augmenter;
    private Prefetcher<TrainingBatch>? _batches;
    private TrainingBatch? _batch;

    /// <param name="network">What learns.</param>
    /// <param name="processor">The preprocessing.</param>
    /// <param name="options">How to train.</param>
    /// <param name="train">The pairs to learn from.</param>
    /// <param name="validation">The pairs to judge by; may be none.</param>
    /// <param name="seed">The seed of order and augmentation.</param>
    /// <param name="generator">The network's own random numbers, for dropout.</param>
    /// <param name="device">Where the network is.</param>
    public ClipTrainingTask(
        ClipNetwork network, ImageProcessor processor, ClipTrainerOptions options, ClipPairs train, ClipPairs validation, int seed, Generator generator, Device device)
    {
        (_network, _processor, _options, _train, _seed, _device) = (network, processor, options, train, seed, device);
        // Rows often come class by class, and a batch of one class has nothing to tell apart.
        _validation = validation with { Rows = [.. EpochOrder.Shuffle(validation.Rows.Length, seed, epoch: -2).Select(i => validation.Rows[i])] };
        _augmenter = new(options.Augmentation());
        Generators = [generator];
        ParameterGroups = Training.ParameterGroups.Of(network, options.WeightDecay, ClipNetwork.IsSparedFromDecay, name => ClipNetwork.LearningRateScale(network.Config, name, options.LayerDecay));
        Identity = new Dictionary<string, string>
        {
            ["seed"] = seed.ToString(CultureInfo.InvariantCulture),
            ["network"] = ModelJson.Write(network.Config),
            ["texts"] = train.Images.LabelsDigest(),
            ["validation texts"] = validation.Images.LabelsDigest(),
            ["preprocessing"] = processor.Settings.ToHuggingFace(),
        };
    }

    public nn.Module Network => _network;

    public IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    public IReadOnlyDictionary<string, string> Identity { get; }

    public IReadOnlyList<Generator> Generators { get; }

    // A last batch of one row would have no other to tell it from.
    public int StepsPerEpoch => Math.Max(1, (SamplesPerEpoch + _options.BatchSize - 2) / _options.BatchSize);

    public int SamplesPerEpoch => _train.Rows.Length;

    public void StartEpoch(int epoch, int firstStep)
    {
        _batches?.Dispose();
        var steps = EpochOrder.Shuffle(SamplesPerEpoch, _seed, epoch).Select(i => _train.Rows[i]).Chunk(_options.BatchSize).ToArray();
        _batches = new(firstStep, StepsPerEpoch, step => MakeBatch(_train, steps[step], generator: () => EpochOrder.Generator(_seed, epoch, AugmentationStream, step)));
    }

    public Tensor? Loss(int step, int part, int parts)
    {
        if (part == 0)
        {
            _batch?.Dispose();
            _batch = _batches!.Next();
            _network.ClampTemperature();
        }
        if (_batch!.Part(part, parts) is not var (pixels, targets))
            return null;
        using Scalar share = (double)pixels.shape[0] / _batch.Pixels.shape[0];
        var ids = targets.to(_device);
        return Loss(Logits(pixels, ids), ClipLoss.Pairs(ids)).mul(share);
    }

    public ValidationResult? Validate(CancellationToken cancellation)
    {
        if (_validation.Rows.Length == 0)
            return null;
        var (right, loss) = (0L, 0.0);
        var chunks = _validation.Rows.Chunk(_options.BatchSize).ToArray();
        using var batches = new Prefetcher<TrainingBatch>(0, chunks.Length, i => MakeBatch(_validation, chunks[i], generator: null));
        foreach (var chunk in chunks)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var batch = batches.Next();
            var ids = batch.Targets.to(_device);
            var (logits, pairs) = (Logits(batch.Pixels, ids), ClipLoss.Pairs(ids));
            right += (long)pairs.gather(1, logits.argmax(1, keepdim: true)).sum().Item();
            loss += Loss(logits, pairs).Item() * chunk.Length;
        }
        double count = _validation.Rows.Length;
        return new(right / count, loss / count, new Dictionary<string, double> { ["Accuracy"] = right / count });
    }

    public void Dispose()
    {
        _batches?.Dispose();
        _batch?.Dispose();
    }

    private Tensor Logits(Tensor pixels, Tensor ids) => _network.Logits(
        _network.Vision.forward(_processor.Normalize(pixels.to(_device))), _network.Text.forward(ids));

    private Tensor Loss(Tensor logits, Tensor pairs) => _network.Config.Sigmoid ? ClipLoss.Sigmoid(logits, pairs) : ClipLoss.Symmetric(logits, pairs);

    /// <summary>On a background thread: the images of a step, augmented where there is a generator, and their texts' tokens.</summary>
    private TrainingBatch MakeBatch(ClipPairs pairs, int[] rows, Func<Generator>? generator)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var random = generator?.Invoke();
        var pixels = pairs.Images.Pixels(rows);
        if (random is not null)
            pixels = _augmenter.Apply(pixels, random);
        var ids = ClipTexts.Trim(
            tensor(rows.SelectMany(row => pairs.Tokens[row]).ToArray(), [rows.Length, pairs.Tokens[0].Length]), rows.Max(row => pairs.Lengths[row]), _network.Config.Text);
        return new(pixels.DetachFromDisposeScope(), ids.DetachFromDisposeScope());
    }
}
