using Microsoft.ML.VisionModels.Checkpoints;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>The non-linearity of an MLP.</summary>
internal enum Activation
{
    /// <summary>x Phi(x), with the error function.</summary>
    [ConfigName("gelu", "gelu_python")]
    Gelu,

    /// <summary>The tanh approximation of GELU.</summary>
    [ConfigName("gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_accurate", "gelu_python_tanh")]
    GeluTanh,

    /// <summary>x sigmoid(1.702 x), as OpenAI's CLIP has it.</summary>
    [ConfigName("quick_gelu")]
    QuickGelu,

    [ConfigName("relu")]
    Relu,

    [ConfigName("silu", "swish")]
    Silu,

    [ConfigName("tanh")]
    Tanh,
}

internal static class Activations
{
    private static readonly TorchSharp.Scalar s_quick = 1.702;     // kept, see TensorArithmetic

    /// <summary>Overwrites <paramref name="x"/> where no gradient needs it: a fresh buffer of this size costs more than the arithmetic.</summary>
    public static Tensor Apply(this Activation activation, Tensor x) => (activation, InPlace: !is_grad_enabled()) switch
    {
        (Activation.Gelu, true) => x.gelu_(),
        (Activation.Gelu, _) => F.gelu(x),
        (Activation.GeluTanh, _) => F.gelu(x, approximate: TorchSharp.Modules.GELU.Approximate.tanh),
        (Activation.QuickGelu, true) => x.mul_(x.mul(s_quick).sigmoid_()),
        (Activation.QuickGelu, _) => x * x.mul(s_quick).sigmoid(),
        (Activation.Relu, true) => x.relu_(),
        (Activation.Relu, _) => x.relu(),
        (Activation.Silu, true) => x.silu_(),
        (Activation.Silu, _) => x.silu(),
        (Activation.Tanh, true) => x.tanh_(),
        (Activation.Tanh, _) => x.tanh(),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "Unknown activation."),
    };
}
