using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels;

/// <summary>Loads the Segment Anything Model to find all segments of images. Made by <c>mlContext.Transforms.SamEverything</c>.</summary>
public sealed class SamEverythingEstimator : IEstimator<SamEverythingTransformer>
{
    private readonly SamEverythingOptions _options;
    private readonly IHost _host;

    internal SamEverythingEstimator(IHostEnvironment environment, SamEverythingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _host = environment.Register(nameof(SamEverythingEstimator));
        _options = options.Copy();
    }

    /// <summary>Checks the columns and loads the network.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or no SAM.</exception>
    public SamEverythingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        ImageColumn.Bind(input.Schema, _options.ImageColumnName);
        var device = Devices.Resolve(_host, _options.Device); // the first to touch libtorch: it tells best what is missing
        var predictor = SamPredictor.Open(SamSource.Open(_options.Checkpoint!), _options.Preprocessing, _options.Precision, device);
        return new(_host, predictor, SamEverythingSettings.Of(_options), _options.Classifier);
    }

    /// <summary>The input's columns and, after them, the segments'.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, _options.ImageColumnName);
        return Columns.Promise(inputSchema, SamColumns.Promises(
            (_options.SegmentsColumnName, TextDataViewType.Instance, false), (_options.SegmentCountColumnName, NumberDataViewType.Single, false),
            (_options.LabelImageColumnName, new ImageDataViewType(), false), (_options.OverlayColumnName, new ImageDataViewType(), false)));
    }
}
