using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Scores rows in batches: each row is read into an item, many items are scored at once, each gives one result.</summary>
/// <typeparam name="TItem">What the model wants of one row.</typeparam>
/// <typeparam name="TResult">What the model gives for one row; the output columns are read from it.</typeparam>
internal abstract class BatchScorer<TItem, TResult>(DataViewSchema inputSchema) : IBatchScorer
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

    /// <summary>One result for each item, in order. Called from many threads at once.</summary>
    /// <param name="items">At least one, at most <see cref="BatchSize"/>.</param>
    /// <param name="wanted">For each of <see cref="Outputs"/>, whether somebody will read it.</param>
    public abstract IReadOnlyList<TResult> Score(IReadOnlyList<TItem> items, IReadOnlyList<bool> wanted);

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
            if (values(result) is { } present)
                present.CopyTo(editor.Values);
            else
                editor.Values.Fill(float.NaN);
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
