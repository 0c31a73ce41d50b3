using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class DropoutTests
{
    [Fact]
    public void DropoutKeepsTheMean()
    {
        using var scope = NewDisposeScope();
        var y = new Dropout(0.25, new Generator(5)).forward(ones(200, 200));
        Assert.InRange(y.logical_not().to(float32).mean().item<float>(), 0.24, 0.26);
        Assert.InRange(y.mean().item<float>(), 0.98, 1.02);
    }

    [Fact]
    public void DropPathDropsWholeImages()
    {
        using var scope = NewDisposeScope();
        var y = new DropPath(0.5, new Generator(5)).forward(ones(400, 3, 2)).flatten(1);   // [400, 6]
        Assert.True(y.amax([1]).equal(y.amin([1])).all().item<bool>());
        Assert.InRange(y.amax([1]).logical_not().to(float32).mean().item<float>(), 0.4, 0.6);
        Assert.Equal(2, y.max().item<float>());
    }

    [Fact]
    public void OneSeedGivesOneMask()
    {
        using var scope = NewDisposeScope();
        var x = ones(50, 50);
        Assert.True(new Dropout(0.5, new Generator(5)).forward(x).equal(new Dropout(0.5, new Generator(5)).forward(x)).all().item<bool>());
    }

    [Fact]
    public void EvaluationPassesThrough()
    {
        using var x = ones(5);
        var dropout = new Dropout(0.5, null);
        var dropPath = new DropPath(0.5, null);
        dropout.eval();
        dropPath.eval();
        Assert.Same(x, dropout.forward(x));
        Assert.Same(x, dropPath.forward(x));
    }

    [Fact]
    public void TrainingWithoutAGeneratorIsAnError()
    {
        using var x = ones(5);
        Assert.Contains("torch.Generator", Assert.Throws<InvalidOperationException>(() => new Dropout(0.5, null).forward(x)).Message);
    }
}
