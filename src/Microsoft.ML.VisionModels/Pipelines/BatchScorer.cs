using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Scores rows in batches: each row is read into an item, many items are scored at once, each gives one result.</summary>
/// <typeparam name="TItem">What the model wants of one row.</typeparam>
/// <typeparam name="TResult">What the model gives for one row; the output columns are read from it.</typeparam>
internal abstract class BatchScorer<TItem, TResult>(DataViewSchema inputSchema, FittedModel model, CancellationToken cancellation) : IBatchScorer
{
    private DataViewSchema? _outputSchema;

    public DataViewSchema InputSchema { get; } = inputSchema;

    /// <summary>The columns that the model reads.</summary>
    public abstract IReadOnlyList<DataViewSchema.Column> Inputs { get; }

    /// <summary>The columns that the model adds.</summary>
    public abstract IReadOnlyList<OutputColumn<TResult>> Outputs { get; }

    public abstract int BatchSize { get; }

    /// <summary>A function that reads the row's present position.</summary>
    public abstract Func<TItem> MakeReader(DataViewRow row);

    /// <summary>The memory of an item's image before it is scored. A batch ends early where its images take much.</summary>
    public virtual long ImageBytes(TItem item) => 0;

    /// <summary>One result for each item, in order. Called from many threads at once.</summary>
    /// <param name="items">At least one, at most <see cref="BatchSize"/>.</param>
    /// <param name="wanted">For each of <see cref="Outputs"/>, whether somebody will read it.</param>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed of, as it may be while a view of its transformer is still read.</exception>
    public IReadOnlyList<TResult> Score(IReadOnlyList<TItem> items, IReadOnlyList<bool> wanted)
    {
        Cancellation.ThrowIfCancellationRequested();
        using var network = Model.Use();
        using var notices = Model.Notices is { } log ? Notices.To(log) : null;
        return ScoreBatch(network, items, wanted);
    }

    /// <inheritdoc cref="Score"/>
    private protected abstract IReadOnlyList<TResult> ScoreBatch(NetworkUse network, IReadOnlyList<TItem> items, IReadOnlyList<bool> wanted);

    private protected FittedModel Model { get; } = model;

    /// <summary>Stops between batches; one that takes long may look at it too.</summary>
    private protected CancellationToken Cancellation { get; } = cancellation;

    // Threads that ask at once get one schema.
    public DataViewSchema OutputSchema => LazyInitializer.EnsureInitialized(ref _outputSchema, BuildOutputSchema);

    public IDataView View(IDataView input) => new BatchedDataView<TItem, TResult>(this, input);

    public IRowToRowMapper Mapper() => new ScoringRowMapper<TItem, TResult>(this);

    /// <summary>Splits columns of the output schema into those that the input serves and a flag for each of <see cref="Outputs"/>.</summary>
    public (List<DataViewSchema.Column> FromInput, bool[] Wanted) Split(IEnumerable<DataViewSchema.Column> columns)
    {
        var fromInput = new List<DataViewSchema.Column>();
        var wanted = new bool[Outputs.Count];
        foreach (var column in columns)
        {
            if (column.Index < InputSchema.Count)
                fromInput.Add(InputSchema[column.Index]);
            else
                wanted[column.Index - InputSchema.Count] = true;
        }
        return (fromInput, wanted);
    }

    /// <summary>A column of vectors; NaN where a row has none.</summary>
    private protected static OutputColumn<TResult, VBuffer<float>> Vector(
        string name, int[] dimensions, DataViewSchema.Annotations? annotations, Func<TResult, float[]?> values)
    {
        var type = new VectorDataViewType(NumberDataViewType.Single, dimensions);
        return new(name, type, annotations, (TResult result, ref VBuffer<float> value) =>
        {
            var editor = VBufferEditor.Create(ref value, type.Size);
            if (values(result) is not { } present)
                editor.Values.Fill(float.NaN);
            else if (present.Length == type.Size)
                present.CopyTo(editor.Values);
            else
                throw new InvalidOperationException($"The network gives {present.Length} values for the column '{name}', which has {type.Size}.");
            value = editor.Commit();
        });
    }

    private DataViewSchema BuildOutputSchema()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(InputSchema);
        foreach (var output in Outputs)
            builder.AddColumn(output.Name, output.Type, output.Annotations);
        return builder.ToSchema();
    }
}

/// <summary>A model bound to the columns of one input schema.</summary>
internal interface IBatchScorer
{
    /// <summary>The input's columns and, after them, the model's.</summary>
    DataViewSchema OutputSchema { get; }

    /// <summary>A lazy view that scores batches.</summary>
    IDataView View(IDataView input);

    /// <summary>A mapper that scores one row at a time, for PredictionEngine.</summary>
    IRowToRowMapper Mapper();
}

/// <summary>A column that a model adds, read from the result for a row.</summary>
internal abstract class OutputColumn<TResult>(string name, DataViewType type, DataViewSchema.Annotations? annotations)
{
    public string Name { get; } = name;

    public DataViewType Type { get; } = type;

    public DataViewSchema.Annotations? Annotations { get; } = annotations;

    /// <summary>A <see cref="ValueGetter{TValue}"/> over the result of the present row.</summary>
    public abstract Delegate MakeGetter(Func<TResult> current);
}

/// <inheritdoc/>
internal sealed class OutputColumn<TResult, TValue>(
    string name, DataViewType type, DataViewSchema.Annotations? annotations, OutputColumn<TResult, TValue>.Assign assign)
    : OutputColumn<TResult>(name, type, annotations)
{
    public delegate void Assign(TResult result, ref TValue value);

    public override Delegate MakeGetter(Func<TResult> current) => (ValueGetter<TValue>)((ref TValue value) => assign(current(), ref value));
}

/// <summary>Scores images with a network, a batch at a time. A row whose image cannot be read has the default result.</summary>
internal abstract class ImageScorer<TResult>(DataViewSchema schema, FittedModel model, CancellationToken cancellation)
    : BatchScorer<ImageItem, TResult>(schema, model, cancellation)
{
    private readonly ImageScoringOptions _options = (ImageScoringOptions)model.Options;
    private readonly ImageColumn _images = ImageColumn.Bind(schema, ((ImageScoringOptions)model.Options).ImageColumnName);

    public sealed override IReadOnlyList<DataViewSchema.Column> Inputs => [_images.Column];

    public sealed override int BatchSize => _options.ScoringBatchSize;

    public sealed override Func<ImageItem> MakeReader(DataViewRow row) => _images.MakeReader(row);

    public sealed override long ImageBytes(ImageItem item) => item.Bytes;

    private protected sealed override IReadOnlyList<TResult> ScoreBatch(NetworkUse network, IReadOnlyList<ImageItem> items, IReadOnlyList<bool> wanted)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var pixels = ImageItem.Pixels(items, Model.Processor!, _options.SkipInvalidImages, network.Type, network.Device, out var invalid);   // [B, 3, H, W]
        return [.. Score(network, pixels, wanted).Select((result, i) => invalid[i] ? default! : result)];
    }

    /// <param name="network">The network.</param>
    /// <param name="pixels">[B, 3, H, W], preprocessed, on the network's device and of its type.</param>
    /// <param name="wanted">For each of the outputs, whether somebody will read it.</param>
    private protected abstract IEnumerable<TResult> Score(NetworkUse network, Tensor pixels, IReadOnlyList<bool> wanted);
}
