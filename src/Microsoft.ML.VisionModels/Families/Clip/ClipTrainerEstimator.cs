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

namespace Microsoft.ML.VisionModels;

/// <summary>
/// Trains CLIP on images and texts that describe them (<see href="https://arxiv.org/abs/2103.00020"/>), or goes on from a published
/// one. Made by <c>mlContext.Transforms.ClipTrainer</c>.
/// </summary>
public sealed class ClipTrainerEstimator : IEstimator<ClipTransformer>
{
    private readonly ClipTrainerOptions _options;
    private readonly IHost _host;
    private readonly int _seed;

    internal ClipTrainerEstimator(IHostEnvironment environment, ClipTrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _host = environment.Register(nameof(ClipTrainerEstimator));
        _options = options.Copy();
        _seed = options.SeedFor(environment);
    }

    /// <summary>Trains on the rows, with the best weights on the validation rows kept. Cancelling ends training early and gives the best model so far.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="FileNotFoundException">The checkpoint or the tokenizer is not there.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or does not fit the network.</exception>
    /// <exception cref="ImageDecodeException">An image cannot be read.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Canceled before training began.</exception>
    public ClipTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        // Before anything that takes long.
        ImageColumn.Bind(input.Schema, _options.ImageColumnName);
        TextColumn.Bind(input.Schema, _options.TextColumnName);
        var device = Devices.Resolve(_host, _options.Device);   // the first to touch libtorch: it tells best what is missing

        var source = _options.Checkpoint is { } checkpoint ? ClipSource.Open(checkpoint) : null;
        var preprocessing = source?.PreprocessingOr(_options.Preprocessing)
            ?? NetworkInput.Preprocessing(_options.Preprocessing, null, null, _options.ImageSize ?? ClipPresets.Of(_options.Preset).Vision.ImageSize);
        var processor = new ImageProcessor(preprocessing);
        var images = new LabeledImages(
            _host, _options.ImageColumnName, _options.TextColumnName, _options.SkipInvalidImages, (long)_options.ImageCacheMegabytes << 20, _options.CancellationToken);
        var published = source?.OpenTokenizer(_options.Tokenizer) ?? (_options.Tokenizer is { } path ? ClipTokenizer.Load(path) : null);
        var set = images.Read("training", input, processor);
        var tokenizer = published ?? ClipTokenizer.Learn(set.Labels, _options.VocabularySize);

        // One generator for weights and dropout; shuffling and augmentation have their own.
        using var generator = EpochOrder.Generator(_seed, epoch: 0, stream: 2);
        var network = source?.Build(generator) ?? new ClipNetwork(FromScratch(tokenizer), generator).Initialize(generator);
        var model = new ClipPairModel(network);
        try
        {
            var (train, validation) = Split(set, tokenizer, network.Config.Text.Positions, images, processor);
            network.Freeze(_options.TrainedTowers);
            network.to(device);
            network.Vision.GradientCheckpointing = network.Text.GradientCheckpointing = _options.GradientCheckpointing;
            using var start = _options.WeightInterpolation < 1 ? new WeightInterpolation(network) : null;
            using var task = new ClipTrainingTask(network, processor, _options, train, validation, _seed, generator, device);
            var history = TrainingLoop.Run(task, _options, _host);
            network.ClampTemperature();
            start?.Apply(_options.WeightInterpolation);
            return new(_host, model, tokenizer, preprocessing, Settings(), device, history);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The input's columns and, after them, the vectors.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, _options.ImageColumnName);
        TextColumn.Check(inputSchema, _options.TextColumnName);
        return Columns.Promise(inputSchema, Columns.VectorPromise(_options.ImageEmbeddingColumnName), Columns.VectorPromise(_options.TextEmbeddingColumnName));
    }

    private ClipConfig FromScratch(ITextTokenizer tokenizer)
    {
        var preset = ClipPresets.Of(_options.Preset);
        return preset with
        {
            Vision = preset.Vision with { ImageSize = _options.ImageSize ?? preset.Vision.ImageSize, PatchSize = _options.PatchSize ?? preset.Vision.PatchSize },
            Text = preset.Text with { VocabularySize = tokenizer.VocabularySize, Pooling = ClipTextPooling.EndToken, EndToken = tokenizer.EndToken },
        };
    }

    private (ClipPairs Train, ClipPairs Validation) Split(ImageSet set, ITextTokenizer tokenizer, int positions, LabeledImages images, ImageProcessor processor)
    {
        if (_options.ValidationData is { } data)
        {
            var held = images.Read("validation", data, processor);
            return (Pairs(set), Pairs(held));
        }
        var (train, validation) = HoldOut.Split(new int[set.Count], _options.ValidationFraction, _seed);
        var all = Pairs(set);
        return (all with { Rows = train }, all with { Rows = validation });

        ClipPairs Pairs(ImageSet of)
        {
            var (tokens, lengths) = (new long[of.Count][], new int[of.Count]);
            for (var row = 0; row < of.Count; row++)
            {
                tokens[row] = new long[positions];
                lengths[row] = tokenizer.Encode(of.Labels[row], tokens[row]);
            }
            return new(of, tokens, lengths, [.. Enumerable.Range(0, of.Count)]);
        }
    }

    private ClipPairSettings Settings() => new(
        _options.ImageColumnName, _options.TextColumnName, _options.ImageEmbeddingColumnName, _options.TextEmbeddingColumnName,
        _options.ScoringBatchSize, _options.Precision, _options.SkipInvalidImages);
}
