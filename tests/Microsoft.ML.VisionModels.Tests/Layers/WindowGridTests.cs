using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class WindowGridTests
{
    [Fact]
    public void TokensSeeTheirOwnSideOfTheSeamOnly()
    {
        using var scope = NewDisposeScope();
        var mask = new WindowGrid(4, 8, Window: 4, Shift: 2).ShiftMask(CPU, -100)!;
        Assert.Equal([2, 1, 16, 16], mask.shape);
        // The first window has whole columns of the image, whose lower rows the shift has brought from the top.
        var expected = zeros(16, 16);
        foreach (var (i, j) in from i in Enumerable.Range(0, 16) from j in Enumerable.Range(0, 16) where i / 8 != j / 8 select (i, j))
            expected[i, j] = -100;
        TensorAssert.Close(expected, mask[0, 0]);
    }

    [Fact]
    public void WindowsComeBackAsTheyWere()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 5, 7, 3, generator: new Generator(2));
        foreach (var shift in (int[])[0, 1])
        {
            var windows = new WindowGrid(5, 7, Window: 3, shift);
            Assert.Equal([2 * 2 * 3, 9, 3], windows.Partition(x).shape);
            TensorAssert.Close(x, windows.Merge(windows.Partition(x)));
        }
    }
}
