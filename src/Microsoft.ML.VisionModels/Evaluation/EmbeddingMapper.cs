using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Search;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>Makes a map of a view's rows.</summary>
internal static class EmbeddingMapper
{
    private const int Fewest = 3;

    public static EmbeddingMap Run(IDataView view, EmbeddingMapOptions options, int seed)
    {
        var (image, label) = (options.ImageColumnName is { } name ? ImageColumn.Bind(view.Schema, name) : null, options.LabelColumnName is { } named ? LabelColumn.Bind(view.Schema, named) : null);
        var vectors = UnitVectors.Read(view, options.IdColumnName, options.EmbeddingColumnName, Fewest, options.CancellationToken);
        var count = Math.Min(vectors.Count, options.MostRows);
        if (count < vectors.Count)
            Notices.Say($"{count} of {vectors.Count} rows are mapped, evenly taken; {nameof(EmbeddingMapOptions.MostRows)} is {options.MostRows}.");
        int[] rows = [.. Enumerable.Range(0, count).Select(i => (int)((long)i * vectors.Count / count))];
        var places = Places(vectors, rows, options, seed);
        long[] numbers = Array.ConvertAll(rows, row => vectors.Places[row]);
        var labels = label is null ? null : Labels(view, label);
        var images = image is null ? null : RowImages.Read(view, image, numbers, pixels => Thumbnail.DataUri(pixels, options.ThumbnailSide), options.CancellationToken);
        options.Progress?.Report(1);
        return new()
        {
            Points = [.. rows.Select((row, i) => new MapPoint(vectors.Ids[row], labels?[(int)numbers[i]] ?? "", places[i][0], places[i][1]))],
            Images = [.. rows.Select((_, i) => images?[i] ?? "")],
            LeftOut = vectors.LeftOut,
            Method = options.Method,
        };
    }

    private static float[][] Places(UnitVectors vectors, int[] rows, EmbeddingMapOptions options, int seed)
    {
        using var scope = NewDisposeScope();
        var matrix = tensor((float[])[.. rows.SelectMany(row => vectors.Rows[row].ToArray())], rows.Length, vectors.Rows.Dimensions);
        return (options.Method == EmbeddingMapMethod.Pca ? PrincipalComponents.Of(matrix, 2) : TSne.Map(matrix, options.Perplexity, options.Steps, seed, AfterStep)).ToRows();

        void AfterStep(int done)
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            options.Progress?.Report(0.95 * done / options.Steps);
        }
    }

    /// <summary>The label of each row by name; empty where it is missing.</summary>
    private static List<string> Labels(IDataView view, LabelColumn label)
    {
        using var cursor = view.GetRowCursor([label.Column]);
        var read = label.MakeReader(cursor);
        var labels = new List<string>();
        while (cursor.MoveNext())
            labels.Add(read() ?? "");
        return labels;
    }
}
