using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Text;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels;

/// <summary>Learns classes from a few labeled images each, on CLIP's vision tower. Made by <c>mlContext.Transforms.ClipFewShot</c>.</summary>
public sealed class ClipFewShotEstimator : IEstimator<ClipClassifierTransformer>
{
    private const int ImagesAtOnce = 32;

    private readonly ClipFewShotOptions _options;
    private readonly IHost _host;
    private readonly int _seed;

    internal ClipFewShotEstimator(IHostEnvironment environment, ClipFewShotOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _host = environment.Register(nameof(ClipFewShotEstimator));
        _options = options.Copy();
        _seed = options.SeedFor(environment);
    }

    private ClassifierSettings Settings => new(
        _options.ImageColumnName, _options.ScoreColumnName, _options.PredictedLabelColumnName, _options.EmbeddingColumnName, AttentionColumn: null,
        _options.ScoringBatchSize, _options.Precision, _options.SkipInvalidImages, TestTimeAugmentation: false);

    /// <summary>Loads the network, computes the images' vectors, and learns from these.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="FileNotFoundException">The checkpoint or its tokenizer is not there.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or does not fit the network.</exception>
    /// <exception cref="ImageDecodeException">An image cannot be read.</exception>
    /// <exception cref="NotSupportedException"><see cref="ClipFewShotMethod.CoOp"/> with SigLIP.</exception>
    /// <exception cref="OperationCanceledException">Canceled before training began.</exception>
    public ClipClassifierTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        ImageColumn.Bind(input.Schema, _options.ImageColumnName);
        LabelColumn.Bind(input.Schema, _options.LabelColumnName);
        var device = Devices.Resolve(_host, _options.Device);   // the first to touch libtorch: it tells best what is missing

        var source = ClipSource.Open(_options.Checkpoint!);
        if (_options.Method == ClipFewShotMethod.CoOp && source.Config.Sigmoid)
            throw new NotSupportedException($"{source.Path} is a SigLIP. CoOp learns what follows CLIP's start token, which SigLIP's texts do not have: use TipAdapter or LinearProbe.");
        var tokenizer = _options.Method == ClipFewShotMethod.LinearProbe ? null : source.OpenTokenizer(_options.Tokenizer);
        var preprocessing = source.PreprocessingOr(_options.Preprocessing);
        var processor = new ImageProcessor(preprocessing);
        var images = new LabeledImages(_host, _options.ImageColumnName, _options.LabelColumnName, _options.SkipInvalidImages, long.MaxValue, _options.CancellationToken);
        var set = images.Read("training", input, processor);
        var labels = images.Labels(input, set);
        var words = ClipTemplates.Words(labels.Names, _options.LabelWords);
        var (train, validation) = images.Split(set, labels, processor, _options.ValidationData, _options.ValidationFraction, _seed);

        using var scope = NewDisposeScope();
        var network = source.Build();
        try
        {
            network.to(device);
            foreach (var parameter in network.parameters())
                parameter.requires_grad = false;
            var (model, history) = Learn(network, tokenizer, labels, words, Embed(network.Vision, processor, train, device), Embed(network.Vision, processor, validation, device), device);
            network.Text.Dispose();
            return new(_host, new ClassifierParts(model, preprocessing, labels, Settings, device, history));
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The input's columns and, after them, the classifier's.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, _options.ImageColumnName);
        return Settings.Promise(inputSchema, LabelColumn.Check(inputSchema, _options.LabelColumnName));
    }

    private (ClipClassifierModel Model, TrainingHistory? History) Learn(
        ClipNetwork network, ITextTokenizer? tokenizer, LabelSet labels, IReadOnlyList<string> words, FewShotRows train, FewShotRows validation, Device device)
    {
        using var generator = EpochOrder.Generator(_seed, epoch: 0, stream: 2);
        switch (_options.Method)
        {
            case ClipFewShotMethod.TipAdapter:
            {
                var classes = ClipTexts.EmbedClasses(network.Text, tokenizer!, words, _options.Templates, device, _host, _options.CancellationToken);
                var examples = TipAdapter.Of(train.Vectors, OneHot(train, labels.Count), _options.CacheWeight, _options.CacheSharpness);
                return (network.Classifier(classes, examples), null);
            }
            case ClipFewShotMethod.CoOp:
            {
                network.Text.GradientCheckpointing = _options.GradientCheckpointing;
                using var prompts = new CoOp(network.Text, (ClipTokenizer)tokenizer!, words, _options.ContextTokens, device, generator);
                var task = Task(prompts, vectors => network.Logits(vectors, prompts.Classes()));
                var history = TrainingLoop.Run(task, _options, _host);
                using var _ = no_grad();
                return (network.Classifier(prompts.Classes()), history);
            }
            default:
            {
                var probe = new Linear(network.Config.EmbeddingSize, labels.Count);
                Initialization.Zero(probe.weight);
                Initialization.Zero(probe.bias);
                probe.to(device);
                // Times the temperature, as the words' logits are: so that usual learning rates suit vectors of length 1.
                var history = TrainingLoop.Run(Task(probe, vectors => network.Temper(probe.forward(vectors))), _options, _host);
                using var _ = no_grad();
                probe.weight.copy_(network.Temper(probe.weight));
                probe.bias!.copy_(network.Temper(probe.bias));
                return (new(new ClipClassifierNetwork(network.Config, network.Vision, probe, sigmoid: false)), history);
            }
        }

        FewShotTask Task(nn.Module learns, Func<Tensor, Tensor> logits) => new(learns, logits, train, validation, _options, _seed, new Dictionary<string, string>
        {
            ["checkpoint"] = Path.GetFileName(_options.Checkpoint!.TrimEnd(Path.DirectorySeparatorChar)),
            ["classes"] = string.Join(", ", labels.Names),
        });
    }

    private FewShotRows Embed(ClipVisionNetwork network, ImageProcessor processor, ImageRows rows, Device device)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (var chunk in rows.Indices.Chunk(ImagesAtOnce))
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var pixels = processor.Normalize(rows.Set.Pixels(chunk).to(device));
            parts.Add(ClipNetwork.Normalize(network.forward(pixels)).MoveToOuterDisposeScope());
        }
        var vectors = parts.Count > 0 ? cat(parts) : empty(0, network.EmbeddingSize, device: device);
        return new(vectors.MoveToOuterDisposeScope(), rows.ClassesOfRows(), rows.Set.LabelsDigest());
    }

    private static Tensor OneHot(FewShotRows rows, int classes) =>
        F.one_hot(rows.ClassesOf([.. Enumerable.Range(0, rows.Classes.Length)]), classes).to(ScalarType.Float32);
}
