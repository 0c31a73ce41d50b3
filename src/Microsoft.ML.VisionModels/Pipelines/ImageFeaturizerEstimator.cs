using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>Loads a published network that tells features of images. Nothing is learned from the rows.</summary>
/// <typeparam name="TTransformer">The family's transformer.</typeparam>
public abstract class ImageFeaturizerEstimator<TTransformer> : IEstimator<TTransformer>
    where TTransformer : ImageFeaturizerTransformer
{
    private readonly ImageFeaturizerOptions _options;

    private protected ImageFeaturizerEstimator(IHostEnvironment environment, string name, ImageFeaturizerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Host = environment.Register(name);
        _options = options.Copy();
    }

    private protected IHost Host { get; }

    /// <summary>Checks the columns and loads the network.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type, or the network has no such feature.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or does not fit the network.</exception>
    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        ImageColumn.Bind(input.Schema, _options.ImageColumnName);
        var device = Devices.Resolve(Host, _options.Device); // the first to touch libtorch: it tells best what is missing
        var (model, preprocessing) = Open(_options);
        try
        {
            var settings = _options.Settings();
            if (settings.Columns.FirstOrDefault(column => model.Features.All(feature => feature.Name != column.Key)) is { Key: { } feature, Value: var name })
            {
                throw new ArgumentException($"{feature}ColumnName is '{name}', but the network of {_options.Checkpoint} has no {feature}; it has " +
                    $"{string.Join(", ", model.Features.Select(known => known.Name))}.");
            }
            return Create(new(model, preprocessing, settings, device));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The input's columns and, after them, the features.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, _options.ImageColumnName);
        return Columns.Promise(inputSchema, _options.Settings().Columns.Values.Select(Columns.VectorPromise));
    }

    /// <summary>Loads the checkpoint.</summary>
    private protected abstract (FeaturizerModel Model, ImagePreprocessing Preprocessing) Open(ImageFeaturizerOptions options);

    private protected abstract TTransformer Create(FeaturizerParts parts);
}
