using System.Globalization;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>
/// Learning which text belongs to which image of a batch. The accuracy on the validation rows is how often the image's own text, or one
/// that says the same, is the likeliest of its batch.
/// </summary>
internal sealed class ClipTrainingTask : BatchTask
{
    private readonly ClipNetwork _network;
    private readonly ImageProcessor _processor;
    private readonly ClipPairs _train, _validation;
    private readonly Device _device;
    private readonly Augmenter _augmenter;

    /// <param name="network">What learns.</param>
    /// <param name="processor">The preprocessing.</param>
    /// <param name="augmentation">What is done to training images.</param>
    /// <param name="plan">How to train.</param>
    /// <param name="train">The pairs to learn from.</param>
    /// <param name="validation">The pairs to judge by; may be none.</param>
    /// <param name="generator">The network's own random numbers, for dropout.</param>
    /// <param name="device">Where the network is.</param>
    public ClipTrainingTask(
        ClipNetwork network, ImageProcessor processor, AugmentationSettings augmentation, TrainingPlan plan, ClipPairs train, ClipPairs validation, Generator generator, Device device)
        // Rows often come class by class, and a batch of one class has nothing to tell apart.
        : base(network, plan, train.Rows, [.. EpochOrder.Shuffle(validation.Rows.Length, plan.Seed, epoch: -2).Select(i => validation.Rows[i])], generator)
    {
        (_network, _processor, _train, _validation, _device, _augmenter) = (network, processor, train, validation, device, new(augmentation));
        network.ClampTemperature();     // a checkpoint's may be above the limit
        ParameterGroups = Training.ParameterGroups.Of(network, plan.WeightDecay, ClipNetwork.IsSparedFromDecay, name => ClipNetwork.RateScale(network.Config, name, plan.LayerDecay));
        Identity = new Dictionary<string, string>
        {
            ["seed"] = plan.Seed.ToString(CultureInfo.InvariantCulture),
            ["network"] = ModelJson.Write(network.Config),
            ["texts"] = train.Images.Digest(),
            ["validation texts"] = validation.Images.Digest(),
            ["preprocessing"] = processor.Settings.ToHuggingFace(),
        };
    }

    public override IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    public override IReadOnlyDictionary<string, string> Identity { get; }

    // A last batch of one row would have no other to tell it from.
    public override int StepsPerEpoch => Math.Max(1, (SamplesPerEpoch + Plan.BatchSize - 2) / Plan.BatchSize);

    public override void AfterStep(long step, long totalSteps) => _network.ClampTemperature();

    protected override TrainingBatch MakeBatch(int[] rows, Generator generator)
    {
        var batch = MakeBatch(_train, rows);
        return batch with { Pixels = _augmenter.Apply(batch.Pixels, generator) };
    }

    protected override TrainingBatch MakeValidationBatch(int[] rows) => MakeBatch(_validation, rows);

    protected internal override Tensor Loss(TrainingBatch part, int count)
    {
        var ids = part.Payload!.to(_device);
        return Loss(Logits(part.Pixels, ids), ClipLoss.Pairs(ids)).Mul((double)part.Count / count);
    }

    protected override (double Right, double Loss) Judge(TrainingBatch batch)
    {
        var ids = batch.Payload!.to(_device);
        var (logits, pairs) = (Logits(batch.Pixels, ids), ClipLoss.Pairs(ids));
        return (pairs.gather(1, logits.argmax(1, keepdim: true)).sum().Item(), Loss(logits, pairs).Item() * batch.Count);
    }

    private Tensor Logits(Tensor pixels, Tensor ids) => _network.Logits(
        _network.Vision.forward(_processor.Normalize(pixels.to(_device))), _network.Text.forward(ids));

    private Tensor Loss(Tensor logits, Tensor pairs) => _network.Config.Sigmoid ? ClipLoss.Sigmoid(logits, pairs) : ClipLoss.Symmetric(logits, pairs);

    /// <summary>Images, and their texts' tokens.</summary>
    private TrainingBatch MakeBatch(ClipPairs pairs, int[] rows)
    {
        var ids = tensor(rows.SelectMany(row => pairs.Tokens[row]).ToArray(), [rows.Length, pairs.Tokens[0].Length]);
        return new(pairs.Images.Pixels(rows), ClipTexts.Trim(ids, rows.Max(row => pairs.Lengths[row]), _network.Config.Text));
    }
}
