using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class HoldOutTests
{
    // Class 0 has 80 rows, class 1 has 40, class 2 has 3, class 3 has 1.
    private static readonly int[] Classes = [.. Enumerable.Range(0, 124).Select(i => i switch { < 80 => 0, < 120 => 1, < 123 => 2, _ => 3 })];

    [Fact]
    public void TakesTheShareOfEachClassByTheSeed()
    {
        var (train, validation) = HoldOut.Split(Classes, 0.1, seed: 1);
        Assert.Equal([8, 4, 1, 0], Enumerable.Range(0, 4).Select(c => validation.Count(row => Classes[row] == c)));
        Assert.Equal(Enumerable.Range(0, Classes.Length), train.Concat(validation).Order());
        Assert.Equal(validation.Order(), validation);

        Assert.Equal(validation, HoldOut.Split(Classes, 0.1, seed: 1).Validation);
        Assert.NotEqual(validation, HoldOut.Split(Classes, 0.1, seed: 2).Validation);
    }

    [Fact]
    public void LeavesARowOfEachClassToTrainOn()
    {
        var (train, _) = HoldOut.Split(Classes, 0.99, seed: 1);
        Assert.Equal([0, 1, 2, 3], train.Select(row => Classes[row]).Distinct().Order());
    }

    [Fact]
    public void TakesNothingForAFractionOfZero() => Assert.Empty(HoldOut.Split(Classes, 0, seed: 1).Validation);
}
