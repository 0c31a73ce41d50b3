namespace Microsoft.ML.VisionModels.Tests.Search;

public class EmbeddingIndexSearchTests
{
    // Around the sizes of blocks and tiles.
    [Theory]
    [InlineData(1, 40)]
    [InlineData(3, 700)]
    [InlineData(16, 256)]
    [InlineData(17, 257)]
    [InlineData(511, 1)]
    [InlineData(511, 515)]
    [InlineData(512, 1030)]
    public void FindsWhatALoopInDoublePrecisionFinds(int dimensions, int count)
    {
        var vectors = RandomVectors.Make(count, dimensions);
        var index = RandomVectors.Index(vectors);
        foreach (var query in RandomVectors.Make(9, dimensions, seed: 2))
        {
            var expected = vectors.Select(vector => RandomVectors.Cosine(vector, query)).OrderDescending().Take(10).ToArray();
            var hits = index.Search(query);

            Assert.Equal(expected.Length, hits.Select(hit => hit.Id).Distinct().Count());
            foreach (var (hit, score) in hits.Zip(expected))
            {
                Assert.Equal(score, hit.Score, 1e-6);
                Assert.Equal(score, RandomVectors.Cosine(vectors[int.Parse(hit.Id)], query), 1e-6);
            }
        }
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 512)]
    [InlineData(3, 100)]
    [InlineData(5, 511)]
    [InlineData(64, 48)]
    [InlineData(65, 512)]
    [InlineData(131, 33)]
    public void ManyQueriesFindWhatEachFindsAlone(int count, int dimensions)
    {
        var index = RandomVectors.Index(RandomVectors.Make(515, dimensions));
        var queries = RandomVectors.Make(count, dimensions, seed: 2);

        var hits = index.Search(queries, top: 7);

        Assert.Equal(count, hits.Count);
        for (var i = 0; i < count; i++)
            Assert.Equal(index.Search(queries[i], top: 7), hits[i]);     // to the last bit
    }

    [Fact]
    public void OfEquallySimilarVectorsTheFirstComesFirst()
    {
        // 3 and 4 of length 5: scaled to the length 1 they are equal to the bit, whichever multiple was added.
        var vectors = Enumerable.Range(0, 2000).Select(i => (i % 3) switch
        {
            0 => new float[] { 3, 4, 0 },
            1 => [6, 8, 0],
            _ => [0, 0, 1],
        }).ToArray();
        var index = RandomVectors.Index(vectors);
        var expected = Enumerable.Range(0, 2000).Where(i => i % 3 != 2).Take(50).Select(i => $"{i}").ToArray();

        for (var repeat = 0; repeat < 20; repeat++)
            Assert.Equal(expected, index.Search([3, 4, 1], top: 50).Select(hit => hit.Id));
        Assert.All(index.Search([[3, 4, 1], [1, 1, 0], [4, 3, 1]], top: 50), hits => Assert.Equal(expected, hits.Select(hit => hit.Id)));
    }

    [Fact]
    public void NoScoreIsBeyondOne()
    {
        // The rounded product of a rounded vector with itself is above 1 for some of so many.
        var vectors = RandomVectors.Make(1000, 512);
        var hits = RandomVectors.Index(vectors).Search(vectors, top: 1);

        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{i}"), hits.Select(each => each[0].Id));
        Assert.All(hits, each => Assert.InRange(each[0].Score, 1 - 1e-6f, 1f));
    }

    [Fact]
    public void FewerVectorsThanWantedAreAllFound()
    {
        var vectors = RandomVectors.Make(300, 5);
        var index = RandomVectors.Index(vectors);

        var hits = index.Search(vectors[0], top: int.MaxValue);

        Assert.Equal(Enumerable.Range(0, 300), hits.Select(hit => int.Parse(hit.Id)).Order());
        Assert.Equal(hits.OrderByDescending(hit => hit.Score), hits);
        Assert.Equal(hits.Take(12), index.Search(vectors[0], top: 12));
    }

    [Fact]
    public void WhatIsLikeAVectorIsNotItself()
    {
        var index = new EmbeddingIndex(2);
        foreach (var (id, x, y) in new[] { ("a", 1f, 0f), ("same", 2f, 0f), ("near", 1f, 0.1f), ("far", 0f, 1f) })
            index.Add(id, [x, y]);
        Assert.Equal(["same", "near"], index.SearchLike("a", top: 2).Select(hit => hit.Id));
        Assert.Equal(["a", "near", "far"], index.SearchLike("same", int.MaxValue).Select(hit => hit.Id));
        Assert.Contains("'b'", Assert.Throws<KeyNotFoundException>(() => index.SearchLike("b")).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => index.SearchLike("a", 0));
    }

    [Fact]
    public void AnEmptyIndexHasNoHits()
    {
        var index = new EmbeddingIndex(2);

        Assert.Empty(index.Search([1, 2]));
        Assert.Equal([[], []], index.Search([[1, 2], [2, 1]]));
        Assert.Empty(index.Search(Array.Empty<float[]>()));
    }

    [Fact]
    public void QueriesAreChecked()
    {
        var index = RandomVectors.Index(RandomVectors.Make(3, 2));

        Assert.Throws<ArgumentException>("query", () => index.Search([1]));
        Assert.Throws<ArgumentException>("query", () => index.Search([1, float.NaN]));
        Assert.Throws<ArgumentException>("query", () => index.Search([0, 0]));
        Assert.Throws<ArgumentException>("queries[1]", () => index.Search([[1, 2], [1, 2, 3]]));
        Assert.Throws<ArgumentException>("queries[0]", () => index.Search([null!]));
        Assert.Throws<ArgumentOutOfRangeException>("top", () => index.Search([1, 2], top: 0));
        Assert.Throws<ArgumentOutOfRangeException>("top", () => index.Search([[1, 2]], top: -1));
    }

    [Fact]
    public async Task SearchesAtOnceFindWhatOneAfterTheOtherFinds()
    {
        var index = RandomVectors.Index(RandomVectors.Make(3000, 40));
        var queries = RandomVectors.Make(32, 40, seed: 2);
        var expected = queries.Select(query => index.Search(query)).ToArray();

        var found = await Task.WhenAll(queries.Select(query => Task.Run(() => index.Search(query))));

        Assert.Equal(expected, found);
    }

    [Fact]
    public void ThreadsDoNotChangeTheHits()
    {
        var index = RandomVectors.Index(RandomVectors.Make(3000, 40));
        var queries = RandomVectors.Make(70, 40, seed: 2);
        index.MaxThreads = 1;
        var expected = index.Search(queries);

        index.MaxThreads = 4;

        Assert.Equal(expected, index.Search(queries));
    }
}
