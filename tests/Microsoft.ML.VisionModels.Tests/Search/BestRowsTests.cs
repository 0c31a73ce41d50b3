using Microsoft.ML.VisionModels.Search;

namespace Microsoft.ML.VisionModels.Tests.Search;

public class BestRowsTests
{
    private static readonly float[] Scores = [0.5f, 0.25f, 1, 0.5f, 0.75f, 0.5f, 1, 0.25f];
    private static readonly (int, float)[] Best = [(2, 1), (6, 1), (4, 0.75f), (0, 0.5f)];      // of three of 0.5, the first

    [Fact]
    public void RowsMayComeInAnyOrder()
    {
        foreach (var order in (int[][])[[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]])
        {
            var best = new BestRows(4);
            foreach (var pair in order)
                best.Offer(Scores.AsSpan(2 * pair, 2), 2 * pair);
            Assert.Equal(Best, best.Take());
        }
    }

    [Fact]
    public void PartsMayBeJoinedInAnyOrder()
    {
        foreach (var order in (int[][])[[0, 1], [1, 0]])
        {
            var best = new BestRows(4);
            foreach (var half in order)
            {
                var part = new BestRows(4);
                part.Offer(Scores.AsSpan(4 * half, 4), 4 * half);
                best.Offer(part);
            }
            Assert.Equal(Best, best.Take());
        }
    }
}
