using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Pipelines;

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
