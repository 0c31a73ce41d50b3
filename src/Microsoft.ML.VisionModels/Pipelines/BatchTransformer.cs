using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// A fitted model in an ML.NET pipeline. It scores lazily and in batches, can be used from many threads at once, is saved
/// with <c>mlContext.Model.Save</c>, and owns native memory: dispose of it when it is no longer needed.
/// </summary>
/// <remarks>A <see cref="PredictionEngine{TSrc, TDst}"/> disposes of its model by default; pass <c>OwnsTransformer = false</c> to go on using it.</remarks>
public abstract class BatchTransformer : ITransformer, IDisposable
{
    /// <summary>The model becomes the transformer's.</summary>
    private protected BatchTransformer(IHostEnvironment environment, FittedModel model)
    {
        ArgumentNullException.ThrowIfNull(environment);
        Model = model;
        (model.Owner, model.Notices) = (GetType().Name, MLNet.NoticesOf(environment));
    }

    /// <summary>Whether the model can score row by row: always.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>How training went; null for a model that was loaded, or not trained.</summary>
    public TrainingHistory? History => Model.History;

    /// <summary>The device that scores, such as "cpu" or "cuda:0".</summary>
    public string Device => Model.Device.ToString();

    internal FittedModel Model { get; }

    /// <summary>The input's columns and, after them, the model's.</summary>
    /// <exception cref="ArgumentException">A column that the model reads is missing or has another type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => BindChecked(inputSchema).OutputSchema;

    /// <summary>A lazy view with the model's columns. Rows are scored in batches, as they are read.</summary>
    /// <exception cref="ArgumentException">A column that the model reads is missing or has another type.</exception>
    public IDataView Transform(IDataView input) => TransformCancelable(input, Model.Cancellation);

    /// <summary>A lazy view with the model's columns. Rows are scored in batches, as they are read, until that is canceled.</summary>
    /// <param name="input">The rows.</param>
    /// <param name="cancellationToken">Stops scoring before the next batch, or within one that takes long: reading then throws <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ArgumentException">A column that the model reads is missing or has another type.</exception>
    public IDataView TransformCancelable(IDataView input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(input);
        return BindChecked(input.Schema, cancellationToken).View(input);
    }

    /// <inheritdoc cref="ITransformer.GetRowToRowMapper"/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => BindChecked(inputSchema).Mapper();

    /// <summary>
    /// Frees the network's native memory. Calls that are being answered on other threads end with their answers first, without being
    /// waited for; later ones throw <see cref="ObjectDisposedException"/>.
    /// </summary>
    public void Dispose()
    {
        Model.Dispose();
        GC.SuppressFinalize(this);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        using var network = Model.Use();    // before anything is written
        ModelLoader.Save(ctx, archive => Model.Save(network, archive));
    }

    /// <summary>Checks the columns and makes what scores them.</summary>
    /// <param name="inputSchema">The columns.</param>
    /// <param name="network">To ask for sizes, not to keep.</param>
    /// <param name="cancellation">Stops scoring.</param>
    internal abstract IBatchScorer Bind(DataViewSchema inputSchema, NetworkUse network, CancellationToken cancellation);

    private IBatchScorer BindChecked(DataViewSchema inputSchema) => BindChecked(inputSchema, Model.Cancellation);

    private IBatchScorer BindChecked(DataViewSchema inputSchema, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        using var network = Model.Use();
        return Bind(inputSchema, network, cancellation);
    }
}

/// <summary>A fitted model that looks at images.</summary>
public abstract class ImageTransformer : BatchTransformer
{
    private protected ImageTransformer(IHostEnvironment environment, FittedModel model) : base(environment, model)
    {
        if (model.Processor is null)
            throw new FormatException("The model file is damaged: it does not say how images become the network's input.");
    }

    /// <summary>How images become the network's input.</summary>
    public ImagePreprocessing Preprocessing => Model.Processor!.Settings;
}
