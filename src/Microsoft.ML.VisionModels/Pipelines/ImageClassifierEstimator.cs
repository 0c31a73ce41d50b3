using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using Shape = Microsoft.ML.SchemaShape.Column.VectorKind;

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
        // A training that may be resumed must know its seed again.
        _seed = options.Seed ?? MLNet.SeedOf(environment) ?? (options.SnapshotFolder is null ? Random.Shared.Next() : 0);
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
    /// <exception cref="ImageDecodeException">A picture cannot be read.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled before training began.</exception>
    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var images = ImageColumn.Bind(input.Schema, _options.ImageColumnName);
        var labels = Trains ? LabelColumn.Bind(input.Schema, _options.LabelColumnName) : null;

        var device = Devices.Resolve(Host, _options.Device); // the first to touch libtorch: it tells best what is missing
        // One generator for weights and dropout; shuffling and augmentation have their own.
        using var generator = EpochOrder.Generator(_seed, epoch: 0, stream: 2);
        var blueprint = Plan(_options);
        return labels is null ? Load(blueprint, generator, device) : Train(input, images, labels, blueprint, generator, device);
    }

    /// <summary>The input's columns and, after them, the classifier's.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, _options.ImageColumnName);
        var labelType = Trains ? LabelColumn.Check(inputSchema, _options.LabelColumnName) : TextDataViewType.Instance;

        var columns = inputSchema.ToDictionary(column => column.Name);
        Add(MLNet.ShapeColumn(_options.ScoreColumnName, Shape.Vector, NumberDataViewType.Single,
            annotations: ClassifierAnnotations.PromisedOfScore(labelType)));
        Add(MLNet.ShapeColumn(_options.PredictedLabelColumnName, Shape.Scalar, NumberDataViewType.UInt32, isKey: true,
            annotations: ClassifierAnnotations.PromisedOfPredictedLabel(labelType)));
        if (_options.EmbeddingColumnName is { } embedding)
            Add(MLNet.ShapeColumn(embedding, Shape.Vector, NumberDataViewType.Single));
        if (_options.AttentionColumnName is { } attention)
            Add(MLNet.ShapeColumn(attention, Shape.Vector, NumberDataViewType.Single));
        return new SchemaShape(columns.Values);

        void Add(SchemaShape.Column column) => columns[column.Name] = column;
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

    private TTransformer Train(
        IDataView input, ImageColumn images, LabelColumn labelColumn, ClassifierBlueprint blueprint, torch.Generator generator, torch.Device device)
    {
        var processor = new ImageProcessor(blueprint.Preprocessing);
        var set = Read("training", input, images, labelColumn, processor);
        var labels = labelColumn.Collect(set.Labels);
        if (labels.Count < 2)
            throw new InvalidOperationException($"The column '{_options.LabelColumnName}' has one class, '{labels.Names[0]}', only; a classifier needs two.");
        var classes = Classes(set, labels);
        var (train, validation) = Split(set, classes, labels, processor);

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

    private ImageSet Read(string part, IDataView data, ImageColumn images, LabelColumn labels, ImageProcessor processor)
    {
        var set = ImageSet.Read(data, images, labels, processor, _options.SkipInvalidImages, (long)_options.PictureCacheMegabytes << 20, _options.CancellationToken);
        using var channel = Host.Start("Reading");
        if (set.Unlabelled > 0)
            MLNet.Warning(channel, string.Create(CultureInfo.InvariantCulture, $"{set.Unlabelled} {part} rows have no label and are left out."));
        if (set.Invalid > 0)
            MLNet.Warning(channel, string.Create(CultureInfo.InvariantCulture, $"{set.Invalid} {part} rows have a picture that cannot be read and are left out."));
        if (set.Count == 0)
            throw new InvalidOperationException($"There are no rows with a label and a picture among the {part} rows.");
        return set;
    }

    private (ImageRows Train, ImageRows Validation) Split(ImageSet set, int[] classes, LabelSet labels, ImageProcessor processor)
    {
        if (_options.ValidationData is { } data)
        {
            var held = Read("validation", data, ImageColumn.Bind(data.Schema, _options.ImageColumnName), LabelColumn.Bind(data.Schema, _options.LabelColumnName), processor);
            return (ImageRows.All(set, classes), ImageRows.All(held, Classes(held, labels)));
        }
        var (train, validation) = HoldOut.Split(classes, _options.ValidationFraction, _seed);
        return (new(set, classes, train), new(set, classes, validation));
    }

    private int[] Classes(ImageSet set, LabelSet labels)
    {
        var classOf = new Dictionary<string, int>();
        for (var i = 0; i < labels.Count; i++)
        {
            if (!classOf.TryAdd(labels.Names[i], i))
                throw new InvalidOperationException($"The column '{_options.LabelColumnName}' has two classes with the name '{labels.Names[i]}'.");
        }
        return [.. set.Labels.Select(label => classOf.TryGetValue(label, out var index) ? index
            : throw new InvalidOperationException($"The validation rows have the label '{label}', which the training rows do not have."))];
    }
}
