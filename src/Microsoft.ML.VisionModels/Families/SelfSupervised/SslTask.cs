using System.Globalization;
using System.Security.Cryptography;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Evaluation;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>
/// Learning from views of images without labels. After each epoch it is measured how the embeddings are spread, so that a collapse
/// (all images get the same) does not go unseen, and, where some rows have labels, how well neighbors tell them.
/// </summary>
internal sealed class SslTask : BatchTask
{
    // Enough for a measure that moves by less than a hundredth, and few against the images of an epoch.
    private const int MostKnown = 5000, MostJudged = 2000;

    private readonly SslLearner _learner;
    private readonly ImageProcessor _processor, _viewProcessor;
    private readonly SslViewMaker _views;
    private readonly LabeledRows _train, _validation;
    private readonly Device _device;
    private bool _collapsed;
    private int _epoch;

    /// <param name="learner">What learns.</param>
    /// <param name="processor">The preprocessing.</param>
    /// <param name="options">The method and what it is told.</param>
    /// <param name="views">The views that it wants.</param>
    /// <param name="plan">How to train.</param>
    /// <param name="train">The rows to learn from; the class of those without a label is -1.</param>
    /// <param name="validation">The rows to judge by; may be none.</param>
    /// <param name="generator">The network's own random numbers.</param>
    /// <param name="device">Where the network is.</param>
    public SslTask(
        SslLearner learner, ImageProcessor processor, SslFeaturizerOptions options, SslViewMaker views, TrainingPlan plan, LabeledRows train, LabeledRows validation,
        Generator generator, Device device)
        : base(learner, plan, train.Indices, validation.Indices, generator)
    {
        (_learner, _processor, _views, _train, _validation, _device) = (learner, processor, views, train, validation, device);
        // What is cut out of a padded image is padded no more.
        _viewProcessor = new(processor.Settings with { Pad = null });
        if (SamplesPerEpoch < plan.BatchSize)
        {
            throw new InvalidOperationException(
                $"There are {SamplesPerEpoch} images to learn from, fewer than the BatchSize of {plan.BatchSize}: {options.Method} compares the images of a full batch, or takes statistics over it. Set a BatchSize of at most {SamplesPerEpoch}, and at least 2.");
        }
        if (processor.Settings.MeanImage is not null && views.Local.Count > 0)
            throw new ArgumentException("Preprocessing has a MeanImage, which fits no small views; set Dino.LocalCrops to 0.");
        // As the methods' own code: whatever is no vector decays, tokens and positions too.
        var (network, prefix) = learner.Learns;
        ParameterGroups = Training.ParameterGroups.Of(learner, plan.WeightDecay, rateScale: name => name.StartsWith(prefix, StringComparison.Ordinal)
            ? Training.ParameterGroups.LayerDecay(plan.LayerDecay, network.LayerOf(name[prefix.Length..]), network.Depth) : 1);
        Identity = new Dictionary<string, string>
        {
            ["seed"] = plan.Seed.ToString(CultureInfo.InvariantCulture),
            ["network"] = ModelKind.Of(options).WriteConfig(learner.Kept),
            ["method"] = options.Method switch
            {
                SslMethod.SimClr => PlainText(options.SimClr),
                SslMethod.Byol => PlainText(options.Byol),
                SslMethod.Dino => PlainText(options.Dino),
                _ => PlainText(options.Mae),
            },
            ["images"] = Digest(train),
            ["labels"] = train.Set.Digest(),
            ["validation labels"] = validation.Set.Digest(),
            ["number of training rows"] = train.Count.ToString(CultureInfo.InvariantCulture),
            ["preprocessing"] = processor.Settings.ToHuggingFace(),
        };

        // Without labels nothing else tells one folder from another of as many images.
        static string Digest(LabeledRows rows)
        {
            using var some = rows.Set.Pixels([0, rows.Set.Count / 2, rows.Set.Count - 1]);
            return Convert.ToHexString(SHA256.HashData(some.data<byte>().ToArray()))[..16];
        }

        static string PlainText<T>(T options) => System.Text.Json.JsonSerializer.Serialize(options);
    }

    public override IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    public override IReadOnlyDictionary<string, string> Identity { get; }

    // A last batch that is not full would be another task than the others, and one of a single image none at all.
    public override int StepsPerEpoch => SamplesPerEpoch / Plan.BatchSize;

    public override void StartEpoch(int epoch, int firstStep)
    {
        base.StartEpoch(epoch, firstStep);
        _learner.StartEpoch(_epoch = epoch);
    }

    public override void AfterGradients(int epoch) => _learner.AfterGradients(epoch);

    public override void AfterStep(long step, long totalSteps) => _learner.AfterStep(step, totalSteps);

    protected override TrainingBatch MakeBatch(int[] rows, Generator generator) => MakeBatch(_train, rows, generator);

    protected override TrainingBatch MakeValidationBatch(int[] rows)
    {
        using var generator = EpochOrder.Generator(Plan.Seed, epoch: -3, step: rows[0]);     // the same views each time
        return MakeBatch(_validation, rows, generator);
    }

    private TrainingBatch MakeBatch(LabeledRows rows, int[] some, Generator generator)
    {
        var (whole, local) = _views.Make(rows.Set.Pixels(some), generator);
        return new(whole, local);
    }

    protected internal override Tensor Loss(TrainingBatch part, int count) =>
        _learner.Loss(new(Normalized(part.Pixels), part.Payload is { } local ? Normalized(local) : null)).to(ScalarType.Float32);

    private Tensor Normalized(Tensor views) =>                                  // [B, V, 3, H, W]
        _viewProcessor.Normalize(views.flatten(0, 1).to(_device)).unflatten(0, views.shape[0], views.shape[1]);

    protected override (double Right, double Loss) Judge(TrainingBatch batch) => (0, Loss(batch, batch.Count).Item() * batch.Count);

    public override ValidationResult? Validate(CancellationToken cancellation)
    {
        var loss = base.Validate(cancellation)?.Loss;
        using var scope = NewDisposeScope();
        var judged = Some(_validation.Count > 1 ? _validation : _train, MostJudged);
        var embeddings = Embeddings(judged, cancellation);
        if (embeddings.shape[0] < 2)
            return null;
        var spread = EmbeddingSpread.Of(embeddings);
        Report(spread);
        var metrics = new Dictionary<string, double>
        {
            ["EmbeddingDeviation"] = spread.Deviation, ["Uniformity"] = spread.Uniformity, ["EffectiveRank"] = spread.EffectiveRank,
        };
        var known = Some(_train with { Indices = [.. _train.Indices.Where(row => _train.Classes[row] >= 0)] }, MostKnown);
        var (classes, right) = (known.ClassesOfRows(), judged.ClassesOfRows());
        long[] asked = [.. right.Index().Where(entry => entry.Item >= 0).Select(entry => (long)entry.Index)];
        // Images must not be their own neighbors, and of one class all are right.
        if (_validation.Count < 2 || asked.Length == 0 || classes.Distinct().Count() < 2)
            return new(null, loss, metrics);
        var (votes, _) = NearestNeighbors.Vote(embeddings.index_select(0, OnDevice(asked)), Embeddings(known, cancellation), OnDevice(Array.ConvertAll(classes, c => (long)c)), classes.Max() + 1);
        var accuracy = NearestNeighbors.Accuracy(votes, OnDevice(Array.ConvertAll(asked, place => (long)right[place])));
        metrics["KnnAccuracy"] = accuracy;
        return new(accuracy, loss, metrics);
    }

    private Tensor OnDevice(long[] numbers) => tensor(numbers).to(_device);

    private LabeledRows Some(LabeledRows rows, int most) => rows.Count <= most ? rows
        : rows with { Indices = [.. EpochOrder.Shuffle(rows.Count, Plan.Seed, epoch: -4).Take(most).Select(i => rows.Indices[i])] };

    /// <summary>What the network that would be kept tells of images as they are, [N, D].</summary>
    private Tensor Embeddings(LabeledRows rows, CancellationToken cancellation)
    {
        var parts = new List<Tensor>();
        foreach (var some in rows.Indices.Chunk(Math.Max(Plan.BatchSize, 64)))
        {
            cancellation.ThrowIfCancellationRequested();
            using var each = NewDisposeScope();
            parts.Add(_learner.Kept.Embed(_processor.Normalize(rows.Set.Pixels(some).to(_device))).to(ScalarType.Float32).MoveToOuterDisposeScope());
        }
        return cat(parts);
    }

    private void Report(EmbeddingSpread spread)
    {
        if (spread.IsCollapsed == _collapsed)
            return;
        _collapsed = spread.IsCollapsed;
        Notices.Say(FormattableString.Invariant(_collapsed
            ? (FormattableString)$"Collapse after epoch {_epoch + 1}: the network gives all images nearly the same features (deviation {spread.Deviation:F4}, effective rank {spread.EffectiveRank:F1}). If the images differ, lower the LearningRate, raise the BatchSize, or raise the momentum of the method's teacher."
            : $"After epoch {_epoch + 1} the features of images differ again (deviation {spread.Deviation:F4}, effective rank {spread.EffectiveRank:F1})."));
    }
}
