namespace Microsoft.ML.VisionModels.Training;

/// <summary>Some rows of a set.</summary>
/// <param name="Set">The images.</param>
/// <param name="Classes">The class of each of the set's rows.</param>
/// <param name="Indices">The rows that are meant.</param>
internal sealed record ImageRows(ImageSet Set, int[] Classes, int[] Indices)
{
    public int Count => Indices.Length;

    /// <summary>All rows of a set.</summary>
    public static ImageRows All(ImageSet set, int[] classes) => new(set, classes, [.. Enumerable.Range(0, set.Count)]);

    /// <summary>The classes of the rows that are meant.</summary>
    public int[] ClassesOfRows() => Array.ConvertAll(Indices, i => Classes[i]);
}
