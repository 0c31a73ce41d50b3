namespace Microsoft.ML.VisionModels.Tests.Search;

public class EmbeddingIndexTests
{
    [Fact]
    public void VectorsAreScaledToTheLengthOne()
    {
        var index = new EmbeddingIndex(2);
        index.Add("usual", [3, -4]);
        index.Add("large", [3e38f, 3e38f]);      // their squares are no floats
        index.Add("small", [0, 1e-45f]);

        Assert.Equal([0.6f, -0.8f], index.GetVector("usual"));
        Assert.Equal([MathF.Sqrt(0.5f), MathF.Sqrt(0.5f)], index.GetVector("large"));
        Assert.Equal([0, 1], index.GetVector("small"));
        Assert.Equal(["usual", "large", "small"], index.Ids);
        Assert.True(index.Contains("large"));
        Assert.False(index.Contains("Large"));
        Assert.Throws<KeyNotFoundException>(() => index.GetVector("Large"));
    }

    [Fact]
    public void WhatIsAddedAfterASearchIsFound()
    {
        var vectors = RandomVectors.Make(600, 20);
        var index = new EmbeddingIndex(20);
        for (var i = 0; i < vectors.Length; i++)
        {
            index.Add($"{i}", vectors[i]);
            Assert.Equal($"{i}", Assert.Single(index.Search(vectors[i], top: 1)).Id);
            Assert.Equal("0", Assert.Single(index.Search(vectors[0], top: 1)).Id);
        }
    }

    [Theory]
    [InlineData("too short", new float[] { 1 })]
    [InlineData("too long", new float[] { 1, 2, 3 })]
    [InlineData("not a number", new float[] { 1, float.NaN })]
    [InlineData("infinite", new float[] { float.NegativeInfinity, 1 })]
    [InlineData("without direction", new float[] { 0, 0 })]
    [InlineData("first", new float[] { 1, 2 })]
    [InlineData("", new float[] { 1, 2 })]
    [InlineData(null, new float[] { 1, 2 })]
    public void WhatIsRefusedChangesNothing(string? id, float[] vector)
    {
        var index = new EmbeddingIndex(2);
        index.Add("first", [1, 0]);

        Assert.ThrowsAny<ArgumentException>(() => index.Add(id!, vector));

        Assert.Equal(["first"], index.Ids);
        Assert.Equal(1, index.Count);
        index.Add("second", [0, 1]);
        Assert.Equal([new("second", 1), new("first", 0)], index.Search([0, 1]));
    }

    [Fact]
    public void AnIdThatCouldNotBeSavedIsRefused()
    {
        // Half of a pair of UTF-16: an encoder that does not mind makes a question mark of it, and of every other one.
        var index = new EmbeddingIndex(2);
        Assert.ThrowsAny<ArgumentException>(() => index.Add("\ud800", [1, 2]));
        Assert.Equal(0, index.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData((1 << 20) + 1)]
    public void DimensionsAreChecked(int dimensions) =>
        Assert.Throws<ArgumentOutOfRangeException>("dimensions", () => new EmbeddingIndex(dimensions));
}
