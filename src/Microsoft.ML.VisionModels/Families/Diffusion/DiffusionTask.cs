using System.Globalization;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>Images, and what is told of each.</summary>
/// <param name="Set">The images, with their captions, or their labels, or nothing.</param>
/// <param name="Told">Of each row its tokens, or its class; null for a model that is told nothing.</param>
/// <param name="Nothing">What stands for nothing in the place of these; null where nothing does, and so they are never withheld.</param>
/// <param name="Rows">The rows that are meant.</param>
internal sealed record DiffusionRows(ImageSet<string> Set, long[][]? Told, long[]? Nothing, int[] Rows);

/// <summary>
/// Learning to tell images from noise (arXiv 2006.11239, algorithm 1): an image, a random time, noise of that time's strength, and the
/// squared error of what the network tells of it.
/// </summary>
internal sealed class DiffusionTask : BatchTask
{
    // What is drawn for each image, which stands before what is told of it: the seed of its noise, its time, and whether nothing is told.
    // All of a batch at once, so that its parts (AccumulationSteps) learn together what it would learn as a whole.
    private const int Seed = 0, Time = 1, Withheld = 2, Drawn = 3;

    private readonly DiffusionNetwork _network;
    private readonly ImageProcessor _processor;
    private readonly DiffusionTrainerOptions _options;
    private readonly DiffusionRows _train, _validation;
    private readonly NoiseSchedule _schedule;
    private readonly Augmenter _augmenter;
    private readonly Device _device;
    private readonly Action<int> _preview;
    private readonly float[]? _sizes;       // that an SDXL is told: all images have one, uncropped
    private int _epoch;

    /// <param name="network">What learns; its autoencoder does not.</param>
    /// <param name="processor">The preprocessing, to -1 to 1.</param>
    /// <param name="options">How to learn.</param>
    /// <param name="plan">How to train.</param>
    /// <param name="train">The rows to learn from.</param>
    /// <param name="validation">The rows to judge by; may be none.</param>
    /// <param name="generator">The network's own random numbers, for dropout.</param>
    /// <param name="device">Where the network is.</param>
    /// <param name="preview">Called after each epoch, counted from 1, with the weights that would be kept.</param>
    public DiffusionTask(
        DiffusionNetwork network, ImageProcessor processor, DiffusionTrainerOptions options, TrainingPlan plan, DiffusionRows train, DiffusionRows validation,
        Generator generator, Device device, Action<int> preview)
        : base(network, plan, train.Rows, validation.Rows, generator)
    {
        (_network, _processor, _options, _train, _validation, _device, _preview) = (network, processor, options, train, validation, device, preview);
        _schedule = NoiseSchedule.Of(network.Config.Scheduler);
        _sizes = network.Config.UNet.SizeWidth is null ? null : [.. new DiffusionSizes().Of(processor.Settings.FixedSize!.Value)];
        _augmenter = new(new AugmentationSettings { HorizontalFlip = options.HorizontalFlip });
        ParameterGroups = Training.ParameterGroups.Of(network, plan.WeightDecay);
        Identity = new Dictionary<string, string>
        {
            ["seed"] = plan.Seed.ToString(CultureInfo.InvariantCulture),
            ["network"] = ModelJson.Write(network.Config),
            ["images"] = train.Set.Digest(),
            ["validation images"] = validation.Set.Digest(),
            ["number of training rows"] = train.Rows.Length.ToString(CultureInfo.InvariantCulture),
            ["preprocessing"] = processor.Settings.ToHuggingFace(),
        };
    }

    public override IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    public override IReadOnlyDictionary<string, string> Identity { get; }

    public override void StartEpoch(int epoch, int firstStep)
    {
        base.StartEpoch(epoch, firstStep);
        _epoch = epoch;
    }

    public override ValidationResult? Validate(CancellationToken cancellation)
    {
        _preview(_epoch + 1);
        // Of images the loss tells little, so that it chooses no epoch.
        return base.Validate(cancellation) is { } judged ? new(null, judged.Loss, new Dictionary<string, double>()) : null;
    }

    protected override TrainingBatch MakeBatch(int[] rows, Generator generator)
    {
        var batch = MakeBatch(_train, rows, _options.ConditionDropout, generator);
        return batch with { Pixels = _augmenter.Apply(batch.Pixels, generator) };
    }

    protected override TrainingBatch MakeValidationBatch(int[] rows)
    {
        using var generator = EpochOrder.Generator(Plan.Seed, epoch: -3, step: rows[0]);       // the same noise after each epoch
        return MakeBatch(_validation, rows, dropout: 0, generator);
    }

    private TrainingBatch MakeBatch(DiffusionRows data, int[] rows, double dropout, Generator generator)
    {
        using var share = tensor((float)dropout);
        long[] each = [rows.Length, 1];
        List<Tensor> payload =
        [
            randint(long.MaxValue, each, ScalarType.Int64, generator: generator), randint(_schedule.Count, each, ScalarType.Int64, generator: generator),
            rand(each, generator: generator).lt(share).to(ScalarType.Int64),
        ];
        if (data.Told is { } told)
            payload.Add(tensor([.. rows.SelectMany(row => told[row])], [rows.Length, told[0].Length]));
        return new(data.Set.Pixels(rows), cat(payload, 1));                                         // [B, 3 + T]
    }

    protected internal override Tensor Loss(TrainingBatch part, int count) => Losses(part).sum().Mul(1.0 / count);

    protected override (double Right, double Loss) Judge(TrainingBatch batch) => (0, Losses(batch).sum().Item());

    /// <summary>The loss of each image, [B].</summary>
    private Tensor Losses(TrainingBatch batch)
    {
        using var own = new SeededNoise(batch.Payload!.select(1, Seed).contiguous().data<long>());
        var images = _processor.Normalize(batch.Pixels.to(_device));                                // [B, 3, H, W]
        Tensor clean;
        using (no_grad())
            clean = _network.ToLatents(images, shape => Noise(shape)).to(ScalarType.Float32);       // [B, C, h, w]
        var noise = Noise(clean.shape);
        if (_options.OffsetNoise > 0)
            noise = noise.Add(Noise([clean.shape[0], clean.shape[1], 1, 1]).Mul(_options.OffsetNoise));
        var times = batch.Payload!.select(1, Time).to(_device);
        var noisy = _schedule.AddNoise(clean, noise, times);
        var told = Told(batch);
        var output = _network.UNet.forward(noisy, times, told).to(ScalarType.Float32);
        var target = _network.Config.Scheduler.Prediction switch
        {
            PredictionType.Noise => noise,
            PredictionType.Image => clean,
            _ => _schedule.Velocity(clean, noise, times),
        };
        var error = output - target;
        var losses = (error * error).flatten(1).mean([1]);
        return _options.MinSnr > 0 ? losses * Weights(times) : losses;

        Tensor Noise(long[] shape) => own.Draw(shape).to(_device);
    }

    /// <summary>What keeps the easy timesteps, of little noise, from outweighing the others (arXiv 2303.09556, 3.4), [B].</summary>
    private Tensor Weights(Tensor times)
    {
        using TorchSharp.Scalar most = _options.MinSnr;
        var ratio = _schedule.SignalToNoise(times);
        var weight = ratio.clamp_max(most);
        return _network.Config.Scheduler.Prediction switch
        {
            PredictionType.Noise => weight / ratio.ClampMin(1e-8),
            PredictionType.Image => weight,
            _ => weight / ratio.Add(1),
        };
    }

    /// <summary>What the U-Net is told of the images: of some, nothing.</summary>
    private UNetGuidance? Told(TrainingBatch batch)
    {
        if (_train.Told is null)
            return null;
        var told = batch.Payload!.narrow(1, Drawn, batch.Payload.shape[1] - Drawn);
        var withheld = batch.Payload.narrow(1, Withheld, 1).to(ScalarType.Bool);                    // [B, 1]
        if (_train.Nothing is { } nothing)
            told = where(withheld, tensor(nothing).view(1, -1), told);
        told = told.to(_device);
        if (_network.Text is null)
            return new() { Classes = told.view(-1) };
        var texts = _network.Read(told, _options.Sampling.ClipSkip);
        if (_network.Config.ZerosForNothing)
            texts = texts.WithZeros(withheld.to(_device).view(-1));
        return new() { Words = texts.Words, Text = texts.Text, Sizes = _sizes is null ? null : tensor(_sizes, device: _device).expand(batch.Count, -1) };
    }
}
