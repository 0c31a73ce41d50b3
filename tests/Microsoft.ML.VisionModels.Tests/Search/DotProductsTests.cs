using Microsoft.ML.VisionModels.Search;

namespace Microsoft.ML.VisionModels.Tests.Search;

/// <summary>Whichever way a processor computes a product, it has the same bits. (<c>EmbeddingIndex</c> takes but one of the ways on this one.)</summary>
public class DotProductsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(33)]
    [InlineData(512)]
    public void TilesEqualSingleProducts(int dimensions)
    {
        var (rows, queries) = (Block(dimensions, seed: 1), Block(dimensions, seed: 2));
        var stride = (nuint)rows.Stride;
        var expected = new float[16];    // [query, row]
        for (var i = 0; i < 16; i++)
            expected[i] = DotProducts.One(ref rows.First(i % 4), ref queries.First(i / 4), stride);

        var four = new float[16];
        DotProducts.FourByFour(ref rows.First(0), ref queries.First(0), stride, four, 4);
        var two = new float[16];
        foreach (var (query, row) in ((int, int)[])[(0, 0), (0, 2), (2, 0), (2, 2)])
            DotProducts.TwoByTwo(ref rows.First(row), ref queries.First(query), stride, two.AsSpan((4 * query) + row), 4);

        Assert.Equal(16, expected.Distinct().Count());
        Assert.Equal(expected, four);
        Assert.Equal(expected, two);
    }

    private static RowBlock Block(int dimensions, int seed)
    {
        var block = new RowBlock(4, dimensions);
        foreach (var vector in RandomVectors.Make(4, dimensions, seed))
            vector.CopyTo(block.Add());
        return block;
    }
}
