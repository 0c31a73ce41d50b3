using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Tests.Search;

public class EmbeddingIndexRowsTests
{
    private readonly MLContext _context = new(1);

    [Fact]
    public void RowsOfAViewAreAdded()
    {
        var view = View(new("a", 1, 2, 3), new("unreadable", float.NaN, float.NaN, float.NaN), new("b", 0, 0, -2), new("in part", 1, 2, float.NaN));

        var index = EmbeddingIndex.FromRows(view, out var leftOut);

        Assert.Equal(3, index.Dimensions);
        Assert.Equal(["a", "b"], index.Ids);
        Assert.Equal([0, 0, -1], index.GetVector("b"));
        Assert.Equal(["unreadable", "in part"], leftOut);
    }

    [Fact]
    public void MoreRowsMayFollow()
    {
        var index = EmbeddingIndex.FromRows(View(new Row("a", 1, 0, 0)), out _);
        Assert.Equal(["unreadable"], index.AddRows(View(new("b", 0, 2, 0), new("unreadable", float.NaN, 0, 0))));
        Assert.Equal(["a", "b"], index.Ids);
        Assert.Equal([0, 1, 0], index.GetVector("b"));
        Assert.Contains("3 values", Assert.Throws<ArgumentException>(() => new EmbeddingIndex(4).AddRows(View(new Row("c", 1, 0, 0)))).Message);
    }

    [Fact]
    public void ColumnsMayHaveOtherNames()
    {
        var view = _context.Transforms.CopyColumns("Name", "ImagePath").Append(_context.Transforms.CopyColumns("Features", "Embedding"))
            .Append(_context.Transforms.DropColumns("ImagePath", "Embedding")).Fit(View(new Row("a", 1, 0, 0))).Transform(View(new Row("a", 1, 0, 0)));

        Assert.Equal(["a"], EmbeddingIndex.FromRows(view, out _, "Name", "Features").Ids);
        Assert.Contains("Features", Assert.Throws<ArgumentException>(() => EmbeddingIndex.FromRows(view, out _)).Message);
        Assert.Contains("text", Assert.Throws<ArgumentException>(() => EmbeddingIndex.FromRows(view, out _, "Features", "Features")).Message);
        Assert.Contains("vector", Assert.Throws<ArgumentException>(() => EmbeddingIndex.FromRows(view, out _, "Name", "Name")).Message);
    }

    [Fact]
    public void RowsThatCannotBeAddedAreErrors()
    {
        Assert.Contains("'a'", Assert.Throws<ArgumentException>(() => EmbeddingIndex.FromRows(View(new("a", 1, 2, 3), new("a", 1, 2, 3)), out _)).Message);
        Assert.Throws<ArgumentException>(() => EmbeddingIndex.FromRows(View(new Row("", 1, 2, 3)), out _));
        Assert.Throws<ArgumentException>(() => EmbeddingIndex.FromRows(View(new Row("a", 0, 0, 0)), out _));
    }

    [Fact]
    public void AnEmptyViewMakesAnEmptyIndex()
    {
        var index = EmbeddingIndex.FromRows(View(), out var leftOut);
        Assert.Equal((0, 3), (index.Count, index.Dimensions));
        Assert.Empty(leftOut);
    }

    private IDataView View(params Row[] rows) => _context.Data.LoadFromEnumerable(rows);

    private sealed class Row(string path, float x, float y, float z)
    {
        public string ImagePath { get; } = path;

        [VectorType(3)]
        public float[] Embedding { get; } = [x, y, z];
    }
}
