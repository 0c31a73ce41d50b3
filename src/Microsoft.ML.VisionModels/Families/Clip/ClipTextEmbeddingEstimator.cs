using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels;

/// <summary>Loads CLIP's text tower. Made by <c>mlContext.Transforms.ClipTextEmbedding</c>.</summary>
public sealed class ClipTextEmbeddingEstimator : IEstimator<ClipTextEmbeddingTransformer>
{
    private readonly ClipTextEmbeddingOptions _options;
    private readonly IHost _host;

    internal ClipTextEmbeddingEstimator(IHostEnvironment environment, ClipTextEmbeddingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _host = environment.Register(nameof(ClipTextEmbeddingEstimator));
        _options = options.Copy();
    }

    /// <summary>Checks the column and loads the network.</summary>
    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    /// <exception cref="FileNotFoundException">The checkpoint or its tokenizer is not there.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or does not fit the network.</exception>
    public ClipTextEmbeddingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        TextColumn.Bind(input.Schema, _options.TextColumnName);
        var device = Devices.Resolve(_host, _options.Device);   // the first to touch libtorch: it tells best what is missing
        var source = ClipSource.Open(_options.Checkpoint!);
        var tokenizer = source.OpenTokenizer(_options.Tokenizer);
        var settings = new ClipTextSettings(_options.TextColumnName, _options.EmbeddingColumnName, _options.ScoringBatchSize, _options.Precision);
        return new(_host, source.TextModel(), tokenizer, settings, device);
    }

    /// <summary>The input's columns and, after them, the vector.</summary>
    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        TextColumn.Check(inputSchema, _options.TextColumnName);
        return Columns.Promise(inputSchema, Columns.VectorPromise(_options.EmbeddingColumnName));
    }
}
