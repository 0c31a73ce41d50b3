using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class ScheduleTests
{
    [Theory]
    [InlineData(0, 0.2 * 1.0 / 11)]
    [InlineData(4, 0.2 * 5.0 / 11)]
    [InlineData(9, 0.2 * 10.0 / 11)]
    [InlineData(10, 0.2)]
    [InlineData(55, 0.1)]
    [InlineData(40, 0.15)]
    [InlineData(70, 0.05)]
    public void RisesInALineAndFallsAlongACosine(long step, double expected) =>
        Assert.Equal(expected, 0.2 * new CosineSchedule(0.1).ShareAt(step, 100), 1e-12);

    [Fact]
    public void EndsNearZeroButAboveIt()
    {
        var last = 0.2 * new CosineSchedule(0.1).ShareAt(99, 100);
        Assert.InRange(last, double.Epsilon, 0.2 * 1e-3);
    }

    [Theory]
    [InlineData(1, 0.0)]
    [InlineData(1, 0.9)]
    [InlineData(3, 0.99)]
    public void IsAboveZeroInTheShortestTraining(long total, double warmupFraction)
    {
        for (var step = 0; step < total; step++)
            Assert.InRange(0.2 * new CosineSchedule(warmupFraction).ShareAt(step, total), 1e-3, 0.2);
    }
}
