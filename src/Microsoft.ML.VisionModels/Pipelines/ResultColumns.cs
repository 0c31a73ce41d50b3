using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Output columns of results that are classes: images, texts, and vectors of any length. A row without a result has none, or empty ones.</summary>
internal static class ResultColumns
{
    public static OutputColumn<TResult?> Image<TResult>(string name, Func<TResult, MLImage> draw) where TResult : class =>
        new OutputColumn<TResult?, MLImage>(name, new ImageDataViewType(), null, (TResult? result, ref MLImage value) => value = result is null ? null! : draw(result));

    public static OutputColumn<TResult?> Text<TResult>(string name, Func<TResult, string> text) where TResult : class =>
        new OutputColumn<TResult?, ReadOnlyMemory<char>>(name, TextDataViewType.Instance, null, (TResult? result, ref ReadOnlyMemory<char> value) => value = result is null ? default : text(result).AsMemory());

    public static OutputColumn<TResult?> Number<TResult>(string name, Func<TResult, float> number) where TResult : class =>
        new OutputColumn<TResult?, float>(name, NumberDataViewType.Single, null, (TResult? result, ref float value) => value = result is null ? float.NaN : number(result));

    public static OutputColumn<TResult?> Numbers<TResult>(string name, Func<TResult, IEnumerable<float>> numbers) where TResult : class => List(name, NumberDataViewType.Single, numbers);

    public static OutputColumn<TResult?> Texts<TResult>(string name, Func<TResult, IEnumerable<string>> texts) where TResult : class =>
        List(name, TextDataViewType.Instance, (TResult result) => texts(result).Select(text => text.AsMemory()));

    private static OutputColumn<TResult?> List<TResult, TItem>(string name, PrimitiveDataViewType type, Func<TResult, IEnumerable<TItem>> items) where TResult : class =>
        new OutputColumn<TResult?, VBuffer<TItem>>(name, new VectorDataViewType(type), null, (TResult? result, ref VBuffer<TItem> value) =>
        {
            TItem[] present = result is null ? [] : [.. items(result)];
            var editor = VBufferEditor.Create(ref value, present.Length);
            present.CopyTo(editor.Values);
            value = editor.Commit();
        });

    /// <summary>The promises of such columns; null names are of columns that are not made.</summary>
    public static SchemaShape.Column[] Promises(params (string? Name, DataViewType Item, bool IsList)[] columns) => [.. columns
        .Where(column => column.Name is not null)
        .Select(column => MLNet.ShapeColumn(column.Name!, column.IsList ? SchemaShape.Column.VectorKind.VariableVector : SchemaShape.Column.VectorKind.Scalar, column.Item))];
}
