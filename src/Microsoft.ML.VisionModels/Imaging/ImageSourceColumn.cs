using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// Finds the column with the files behind an image column. A view that decodes its images from files puts one token, its own,
/// into the annotations of both columns. A reader that meets both in a schema may decode the files itself, many at once.
/// </summary>
internal static class ImageSourceColumn
{
    private const string Kind = "VisionModels.ImageSource";

    /// <summary>Annotations with the token, for the image column and for the column with its path.</summary>
    public static DataViewSchema.Annotations Annotate(string token)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.Add(Kind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = token.AsMemory());
        return annotations.ToAnnotations();
    }

    /// <summary>The text column that holds the full path of each image of <paramref name="imageColumn"/>; null where none is known.</summary>
    public static DataViewSchema.Column? PathOf(DataViewSchema schema, DataViewSchema.Column imageColumn)
    {
        if (TokenOf(imageColumn) is not { } token)
            return null;
        foreach (var column in schema)
        {
            if (!column.IsHidden && column.Type is TextDataViewType && TokenOf(column) == token)
                return column;
        }
        return null;
    }

    private static string? TokenOf(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Kind) is not { Type: TextDataViewType })
            return null;
        ReadOnlyMemory<char> token = default;
        column.Annotations.GetValue(Kind, ref token);
        return token.ToString();
    }
}
