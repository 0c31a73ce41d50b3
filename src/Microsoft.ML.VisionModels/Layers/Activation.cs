using Microsoft.ML.VisionModels.Checkpoints;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>The non-linearity of an MLP.</summary>
internal enum Activation
{
    /// <summary>x Phi(x), with the error function.</summary>
    Gelu,

    /// <summary>The tanh approximation of GELU.</summary>
    GeluTanh,

    /// <summary>x sigmoid(1.702 x), as OpenAI's CLIP has it.</summary>
    QuickGelu,

    Relu,
    Silu,
    Tanh,
}

internal static class Activations
{
    private static readonly TorchSharp.Scalar s_quick = 1.702;     // kept, see TensorArithmetic

    /// <summary>The names of Hugging Face's <c>hidden_act</c>; the first name of each is the one to write.</summary>
    private static readonly (string Name, Activation Activation)[] Names =
    [
        ("gelu", Activation.Gelu),
        ("gelu_python", Activation.Gelu),
        ("gelu_pytorch_tanh", Activation.GeluTanh),
        ("gelu_new", Activation.GeluTanh),
        ("gelu_fast", Activation.GeluTanh),
        ("gelu_accurate", Activation.GeluTanh),
        ("gelu_python_tanh", Activation.GeluTanh),
        ("quick_gelu", Activation.QuickGelu),
        ("relu", Activation.Relu),
        ("silu", Activation.Silu),
        ("swish", Activation.Silu),
        ("tanh", Activation.Tanh),
    ];

    /// <exception cref="CheckpointException">The name is not a known one.</exception>
    public static Activation Parse(string name)
    {
        foreach (var (known, activation) in Names)
        {
            if (known == name)
                return activation;
        }
        throw new CheckpointException($"The activation '{name}' is not known; known are {string.Join(", ", Names.Select(n => n.Name))}.");
    }

    public static string HuggingFaceName(this Activation activation) => Names.First(n => n.Activation == activation).Name;

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
