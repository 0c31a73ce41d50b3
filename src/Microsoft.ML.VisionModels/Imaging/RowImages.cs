namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>Reads the images of some of a view's rows, many at a time.</summary>
internal static class RowImages
{
    private const int PerProcessor = 32;

    /// <param name="view">The rows.</param>
    /// <param name="column">Their images.</param>
    /// <param name="places">The numbers of the rows that are wanted, each once.</param>
    /// <param name="use">What is made of an image.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>What was made of each; null of images that cannot be read, of which the first is said.</returns>
    public static T?[] Read<T>(IDataView view, ImageColumn column, IReadOnlyList<long> places, Func<RgbImage, T> use, CancellationToken cancellation)
        where T : class
    {
        var results = new T?[places.Count];
        var wanted = places.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        foreach (var some in Items().Chunk(PerProcessor * Environment.ProcessorCount))
        {
            cancellation.ThrowIfCancellationRequested();
            Parallel.ForEach(some, each => results[each.Index] = each.Item.Read(skipInvalid: true, use));
        }
        return results;

        IEnumerable<(int Index, ImageItem Item)> Items()
        {
            using var cursor = view.GetRowCursor([column.Column]);
            var read = column.MakeReader(cursor);
            for (var place = 0L; cursor.MoveNext(); place++)
            {
                if (wanted.TryGetValue(place, out var index))
                    yield return (index, read());
            }
        }
    }
}
