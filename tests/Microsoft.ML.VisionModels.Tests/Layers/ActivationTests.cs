using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class ActivationTests
{
    private static readonly float[] s_x = [-3, -1, -0.5f, 0, 0.5f, 1, 3];

    public static TheoryData<string, double[]> Known => new()
    {
        { "gelu", [-0.0040498674, -0.1586552858, -0.1542687863, 0, 0.3457311988, 0.8413447142, 2.9959502220] },
        { "gelu_new", [-0.0036374331, -0.1588079929, -0.1542859972, 0, 0.3457140028, 0.8411920071, 2.9963626862] },
        { "gelu_pytorch_tanh", [-0.0036374331, -0.1588079929, -0.1542859972, 0, 0.3457140028, 0.8411920071, 2.9963626862] },
        { "quick_gelu", [-0.0180713106, -0.1542042345, -0.1496115625, 0, 0.3503884375, 0.8457957506, 2.9819288254] },
        { "silu", [-0.1422776133, -0.2689414322, -0.1887703389, 0, 0.3112296760, 0.7310585976, 2.8577225208] },
        { "relu", [0, 0, 0, 0, 0.5, 1, 3] },
        { "tanh", [-0.9950547537, -0.7615941560, -0.4621171573, 0, 0.4621171573, 0.7615941560, 0.9950547537] },
    };

    [Theory, MemberData(nameof(Known))]
    public void EqualsPyTorch(string name, double[] expected)
    {
        using var scope = NewDisposeScope();
        var activation = ConfigKeys.Parse<Activation>(name);
        var input = tensor(s_x);
        TensorAssert.Close(expected, activation.Apply(input));
        Assert.Equal(s_x, input.data<float>().ToArray());   // gradients may need it
        using var inference = inference_mode();
        TensorAssert.Close(expected, activation.Apply(tensor(s_x)));
    }

    [Fact]
    public void NamesRoundTrip()
    {
        Assert.All(Enum.GetValues<Activation>().Except([Activation.SwiGlu, Activation.GeGlu]), activation => Assert.Equal(activation, ConfigKeys.Parse<Activation>(ConfigKeys.NameOf(activation))));
    }

    [Theory]
    [InlineData("silu", false)]
    [InlineData("gelu", true)]
    public void GluGatesOneHalfWithTheOther(string name, bool secondIsGate)
    {
        using var scope = NewDisposeScope();
        var (activation, reversed) = (secondIsGate ? Activation.GeGlu : Activation.SwiGlu, tensor(s_x).flip(0));
        var input = cat(secondIsGate ? [reversed, tensor(s_x)] : [tensor(s_x), reversed]).view(1, -1);
        double[] expected = [.. Known.Single(row => row.Data.Item1 == name).Data.Item2.Zip(s_x.Reverse(), (gate, x) => gate * x)];
        TensorAssert.Close(expected, activation.Apply(input));
        using var inference = inference_mode();
        TensorAssert.Close(expected, activation.Apply(input.clone()));
    }

    [Fact]
    public void UnknownNameIsAnErrorThatListsTheKnown()
    {
        var message = Assert.Throws<CheckpointException>(() => ConfigKeys.Parse<Activation>("gelu_squared")).Message;
        Assert.Contains("gelu_squared", message);
        Assert.Contains("quick_gelu", message);
    }
}
