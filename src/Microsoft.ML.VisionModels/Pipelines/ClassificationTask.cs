using System.Globalization;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Learning to tell classes apart: cross entropy with soft targets over augmented batches; accuracy on the validation rows.</summary>
internal sealed class ClassificationTask : BatchTask
{
    private readonly ITrainableClassifier _classifier;
    private readonly ImageProcessor _processor;
    private readonly LabeledRows _train, _validation;
    private readonly ClassBalance _balance;
    private readonly double _labelSmoothing;
    private readonly Device _device;
    private readonly Augmenter _augmenter;
    private readonly float[] _classWeights;

    /// <param name="network">What learns.</param>
    /// <param name="processor">The preprocessing.</param>
    /// <param name="options">What is learned: augmentation, smoothing, classes' weights.</param>
    /// <param name="plan">How to train.</param>
    /// <param name="rows">The rows to learn from and those to judge by.</param>
    /// <param name="generator">The network's own random numbers, for dropout.</param>
    /// <param name="device">Where the network is.</param>
    public ClassificationTask(
        nn.Module network, ImageProcessor processor, ImageClassifierOptions options, TrainingPlan plan, LabeledImages rows, Generator generator, Device device)
        : base(network, plan, rows.Train.Indices, rows.Validation.Indices, generator)
    {
        (_classifier, _processor, _train, _validation, _device) = ((ITrainableClassifier)network, processor, rows.Train, rows.Validation, device);
        (_balance, _labelSmoothing) = (options.ClassBalance, options.LabelSmoothing);
        _augmenter = new(options.AugmentationFor(new(_train.Set.Height, _train.Set.Width)));
        _classWeights = WeightsOf(options, rows.Labels, _train.ClassesOfRows());
        ParameterGroups = Training.ParameterGroups.Of(network, plan.WeightDecay, _classifier.IsSparedFromDecay,
            name => Training.ParameterGroups.LayerDecay(plan.LayerDecay, _classifier.LayerOf(name), _classifier.Depth));
        Identity = new Dictionary<string, string>
        {
            ["seed"] = Text(plan.Seed),
            ["network"] = ModelKind.Of(options).WriteConfig(network),
            ["classes"] = string.Join(", ", rows.Labels.Names),
            ["order of labels"] = _train.Set.Digest(),
            ["order of validation labels"] = _validation.Set.Digest(),
            ["number of training rows"] = Text(_train.Count),
            ["number of validation rows"] = Text(_validation.Count),
            ["class weights"] = string.Join(" ", _classWeights.Select(Text)),
            ["preprocessing"] = processor.Settings.ToHuggingFace(),
        };

        static string Text<T>(T number) where T : IFormattable => number.ToString(null, CultureInfo.InvariantCulture);
    }

    public override IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    public override IReadOnlyDictionary<string, string> Identity { get; }

    protected override long[] Order(int epoch) => _balance == ClassBalance.Sampling
        ? EpochOrder.Balanced(_train.ClassesOfRows(), Plan.Seed, epoch)
        : base.Order(epoch);

    /// <summary>The augmented images of a step, and targets of which all together sum up to 1.</summary>
    protected override TrainingBatch MakeBatch(int[] rows, Generator generator)
    {
        var (pixels, shares) = _augmenter.Mix(_augmenter.Apply(_train.Set.Pixels(rows), generator), OneHot(_train, rows), generator);
        return new(pixels, Targets(shares, tensor(_classWeights), _labelSmoothing));
    }

    protected override TrainingBatch MakeValidationBatch(int[] rows) => new(_validation.Set.Pixels(rows), OneHot(_validation, rows));

    protected internal override Tensor Loss(TrainingBatch part, int count) => -(Logits(part.Pixels).log_softmax(1) * part.Payload!.to(_device)).sum();

    protected override (double Right, double Loss) Judge(TrainingBatch batch)
    {
        var (logits, targets) = (Logits(batch.Pixels), batch.Payload!.argmax(1).to(_device));
        return (logits.argmax(1).eq(targets).sum().item<long>(), F.cross_entropy(logits, targets, reduction: nn.Reduction.Sum).Item());
    }

    private Tensor Logits(Tensor pixels) => _classifier.Classify(_processor.Normalize(pixels.to(_device))).Logits.to(ScalarType.Float32);

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

    /// <summary>How much the rows of each class count in the loss.</summary>
    /// <exception cref="ArgumentException">A class is named that there is not, or all weights are 0.</exception>
    internal static float[] WeightsOf(ImageClassifierOptions options, LabelSet labels, IReadOnlyList<int> classesOfRows)
    {
        var weights = Enumerable.Repeat(1f, labels.Count).ToArray();
        if (options.ClassBalance == ClassBalance.Weights)
        {
            // A class of n of all N rows: N / (classes n). The mean over the rows is 1.
            foreach (var (index, count) in classesOfRows.CountBy(c => c))
                weights[index] = (float)classesOfRows.Count / (labels.Count * count);
        }
        foreach (var (name, weight) in options.ClassWeights ?? new Dictionary<string, double>())
        {
            var index = labels.Names.ToList().IndexOf(name);
            if (index < 0)
                throw new ArgumentException($"{nameof(options.ClassWeights)} names the class '{name}'; the classes are {string.Join(", ", labels.Names)}.");
            weights[index] *= (float)weight;
        }
        if (!classesOfRows.Any(c => weights[c] > 0))
            throw new ArgumentException($"{nameof(options.ClassWeights)} gives no training row a weight above 0.");
        return weights;
    }

    private Tensor OneHot(LabeledRows rows, int[] indices) =>                 // [B, classes]
        F.one_hot(tensor(Array.ConvertAll(indices, i => (long)rows.Classes[i])), _classWeights.Length).to(ScalarType.Float32);
}
