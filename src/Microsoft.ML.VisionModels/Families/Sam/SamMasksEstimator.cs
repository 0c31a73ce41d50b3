using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels;

/// <summary>Loads the Segment Anything Model to answer prompts about images. Made by <c>mlContext.Transforms.SamMasks</c>.</summary>
public sealed class SamMasksEstimator : IEstimator<SamMasksTransformer>
{
    private readonly SamMasksOptions _options;
    private readonly IHost _host;

    internal SamMasksEstimator(IHostEnvironment environment, SamMasksOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _host = environment.Register(nameof(SamMasksEstimator));
        _options = options.Copy();
    }

    /// <summary>Checks the columns and loads the network.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or no SAM.</exception>
    public SamMasksTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var settings = SamMasksSettings.Of(_options);
        ImageColumn.Bind(input.Schema, settings.ImageColumn);
        _ = new SamPromptReader(input.Schema, settings);
        var device = Devices.Resolve(_host, _options.Device); // the first to touch libtorch: it tells best what is missing
        return new(_host, SamPredictor.Open(SamSource.Open(_options.Checkpoint!), _options.Preprocessing, _options.Precision, device), settings);
    }

    /// <summary>The input's columns and, after them, the masks'.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, _options.ImageColumnName);
        SamPromptReader.Check(inputSchema, SamMasksSettings.Of(_options));
        return Columns.Promise(inputSchema, SamColumns.Promises(
            (_options.MaskColumnName, new ImageDataViewType(), false), (_options.MaskScoresColumnName, NumberDataViewType.Single, true),
            (_options.MaskRunLengthsColumnName, TextDataViewType.Instance, true), (_options.MaskAreasColumnName, NumberDataViewType.Single, true),
            (_options.MaskBoxesColumnName, NumberDataViewType.Single, true), (_options.MaskLogitsColumnName, NumberDataViewType.Single, true)));
    }
}
