using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;

namespace Microsoft.ML.VisionModels;

/// <summary>Trains an image classifier, or loads a published one.</summary>
/// <typeparam name="TTransformer">The family's transformer.</typeparam>
public abstract class ImageClassifierEstimator<TTransformer> : IEstimator<TTransformer>
    where TTransformer : ImageClassifierTransformer
{
    private readonly ImageClassifierOptions _options;
    private readonly int _seed;

    private protected ImageClassifierEstimator(IHostEnvironment environment, string name, ImageClassifierOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Host = environment.Register(name);
        _options = options.Copy();
        _seed = options.SeedFor(environment);
    }

    private protected IHost Host { get; }

    /// <summary>Whether labels are read.</summary>
    private bool Trains => _options.TrainedParts != TrainedParts.None;

    /// <summary>
    /// Trains on the rows, with the best weights on the validation rows kept; or, with <see cref="TrainedParts.None"/>,
    /// loads the published classifier. Cancelling ends training early and gives the best model so far.
    /// </summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or does not fit the network.</exception>
    /// <exception cref="ImageDecodeException">An image cannot be read.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Canceled before training began.</exception>
    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        // Before anything that takes long.
        ImageColumn.Bind(input.Schema, _options.ImageColumnName);
        if (Trains)
            LabelColumn.Bind(input.Schema, _options.LabelColumnName);

        var device = Devices.Resolve(Host, _options.Device); // the first to touch libtorch: it tells best what is missing
        // One generator for weights and dropout; shuffling and augmentation have their own.
        using var generator = EpochOrder.Generator(_seed, epoch: 0, stream: 2);
        var blueprint = Plan(_options);
        return Trains ? Train(input, blueprint, generator, device) : Load(blueprint, generator, device);
    }

    /// <summary>The input's columns and, after them, the classifier's.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, _options.ImageColumnName);
        var labelType = Trains ? LabelColumn.Check(inputSchema, _options.LabelColumnName) : TextDataViewType.Instance;
        return ClassifierSettings.From(_options).Promise(inputSchema, labelType);
    }

    /// <summary>Reads the options and the checkpoint's configuration.</summary>
    private protected abstract ClassifierBlueprint Plan(ImageClassifierOptions options);

    private protected abstract TTransformer Create(ClassifierParts parts);

    private TTransformer Load(ClassifierBlueprint blueprint, torch.Generator generator, torch.Device device)
    {
        var names = _options.Labels ?? blueprint.PublishedLabels
            ?? throw new InvalidOperationException($"The checkpoint {_options.Checkpoint} has no classification head with named classes. Set Labels, or train a head.");
        var labels = LabelSet.OfText([.. names]);
        return Finish(blueprint.Build(labels, newHead: false, generator), blueprint, labels, device, null);
    }

    private TTransformer Train(IDataView input, ClassifierBlueprint blueprint, torch.Generator generator, torch.Device device)
    {
        var processor = new ImageProcessor(blueprint.Preprocessing);
        var images = new LabeledImages(
            Host, _options.ImageColumnName, _options.LabelColumnName, _options.SkipInvalidImages, (long)_options.ImageCacheMegabytes << 20, _options.CancellationToken);
        var set = images.Read("training", input, processor);
        var labels = images.Labels(input, set);
        var (train, validation) = images.Split(set, labels, processor, _options.ValidationData, _options.ValidationFraction, _seed);

        var model = blueprint.Build(labels, newHead: blueprint.PublishedLabels?.SequenceEqual(labels.Names) != true, generator);
        try
        {
            model.Freeze(_options.TrainedParts, _options.LastBlocks);
            model.Network.to(device);
            model.GradientCheckpointing = _options.GradientCheckpointing;
            using var task = new ClassificationTask(model, processor, _options, labels, train, validation, _seed, generator, device);
            var history = TrainingLoop.Run(task, _options, Host);
            return Finish(model, blueprint, labels, device, history);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private TTransformer Finish(ClassifierModel model, ClassifierBlueprint blueprint, LabelSet labels, torch.Device device, TrainingHistory? history) =>
        Create(new(model, blueprint.Preprocessing, labels, ClassifierSettings.From(_options), device, history));
}
