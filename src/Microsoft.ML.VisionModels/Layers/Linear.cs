using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// y = x W^T + b. Unlike TorchSharp's layer it is built without values: a network is either loaded from a checkpoint
/// or drawn by <see cref="Initialization"/>, so that a first draw, which would be thrown away, is not paid for.
/// </summary>
internal sealed class Linear : nn.Module<Tensor, Tensor>, IScoringLayer
{
    private readonly LinearProduct _product = new();
    internal Parameter weight;
    internal Parameter? bias;

    public Linear(int inputs, int outputs, bool hasBias = true) : base(nameof(Linear))
    {
        weight = new Parameter(empty(outputs, inputs));
        bias = hasBias ? new Parameter(empty(outputs)) : null;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => Product(x, weight, bias);      // [..., inputs] -> [..., outputs]

    /// <summary>Some of the outputs: <paramref name="count"/> of them from a first one on.</summary>
    public Tensor Part(Tensor x, long first, long count) => Product(x, weight.narrow(0, first, count), bias?.narrow(0, first, count));

    public void MakeReadyToScore() => _product.MakeReady(weight);

    private Tensor Product(Tensor x, Tensor weight, Tensor? bias) =>
        _product.Of(MixedPrecision.Operand(x), MixedPrecision.Operand(weight), MixedPrecision.OptionalOperand(bias));
}
