using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class InitializationTests
{
    [Fact]
    public void TruncatedNormalEqualsPyTorchsOfTheSameSeed()
    {
        using var scope = NewDisposeScope();
        var values = empty(2, 5);
        Initialization.TruncatedNormal(values, 0.02, new Generator(7));
        TensorAssert.Close(
            [0.0017529985634610057, -0.01691807620227337, 0.008206252008676529, 0.008079815655946732, -0.014595650136470795,
             -0.003779234364628792, -0.016331475228071213, 0.006623103283345699, -0.006885690614581108, 0.020837772637605667], values, 1e-8);
    }

    [Fact]
    public void TruncatedNormalKeepsWithinItsLimits()
    {
        using var scope = NewDisposeScope();
        var values = empty(2, 5);
        Initialization.TruncatedNormal(values, 1, new Generator(7), mean: 0.5, low: -1, high: 1);
        TensorAssert.Close(
            [0.24910947680473328, -0.37425148487091064, 0.4463004171848297, 0.44265997409820557, -0.29880088567733765,
             0.06649523973464966, -0.35540103912353516, 0.4000079929828644, -0.03882479667663574, 0.7496123909950256], values, 1e-6);
    }

    [Fact]
    public void FillsEveryLinearLayerOnceAndInOrder()
    {
        using var scope = NewDisposeScope();
        var config = new TransformerConfig { Width = 8, Depth = 2, Heads = 2, MlpWidth = 16 };
        using var one = new Transformer(config);
        using var two = new Transformer(config);
        Initialization.Fill(one, 0.02, new Generator(3));
        Initialization.Fill(two, 0.02, new Generator(3));
        Assert.Equal(2 * 12, one.state_dict().Count);
        foreach (var (name, value) in one.state_dict())
        {
            Assert.True(value.equal(two.state_dict()[name]).all().item<bool>(), name);
            if (name.EndsWith("bias", StringComparison.Ordinal))
                Assert.True(value.logical_not().all().item<bool>(), name);
            else if (!name.Contains("norm", StringComparison.Ordinal))
                Assert.InRange(value.std().item<float>(), 0.01f, 0.03f);
        }
    }
}
