using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// A fitted model in an ML.NET pipeline. It scores lazily and in batches, can be used from many threads at once, is saved
/// with <c>mlContext.Model.Save</c>, and owns native memory: dispose of it when it is no longer needed.
/// </summary>
/// <remarks>A <see cref="PredictionEngine{TSrc, TDst}"/> disposes of its model by default; pass <c>OwnsTransformer = false</c> to go on using it.</remarks>
public abstract class BatchTransformer : ITransformer, IDisposable
{
    private int _disposed;

    private protected BatchTransformer(IHostEnvironment environment, string name) => Host = environment.Register(name);

    private protected IHost Host { get; }

    /// <summary>Whether the model can score row by row: always.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The input's columns and, after them, the model's.</summary>
    /// <exception cref="ArgumentException">A column that the model reads is missing or has another type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => BindChecked(inputSchema).OutputSchema;

    /// <summary>A lazy view with the model's columns. Rows are scored in batches, as they are read.</summary>
    /// <exception cref="ArgumentException">A column that the model reads is missing or has another type.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return BindChecked(input.Schema).View(input);
    }

    /// <inheritdoc cref="ITransformer.GetRowToRowMapper"/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => BindChecked(inputSchema).Mapper();

    /// <summary>Frees the network's native memory.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            DisposeModel();
        GC.SuppressFinalize(this);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        ModelLoader.Save(ctx, this);
    }

    /// <summary>Checks the columns and makes what scores them.</summary>
    internal abstract Pipelines.IBatchScorer Bind(DataViewSchema inputSchema);

    /// <summary>Writes everything that <see cref="Load"/> needs.</summary>
    internal abstract void Save(ModelArchiveWriter archive);

    private protected abstract void DisposeModel();

    /// <summary>Reads a transformer through its constructor (IHostEnvironment, ModelArchiveReader).</summary>
    internal static BatchTransformer Load(Type type, IHostEnvironment environment, ModelArchiveReader archive)
    {
        var constructor = type.GetConstructor(BindingFlags.Instance | BindingFlags.NonPublic, [typeof(IHostEnvironment), typeof(ModelArchiveReader)])
            ?? throw new InvalidOperationException($"{type.Name} has no constructor that reads it from a model file.");
        return (BatchTransformer)constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, [environment, archive], null);
    }

    private Pipelines.IBatchScorer BindChecked(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        return Bind(inputSchema);
    }
}
