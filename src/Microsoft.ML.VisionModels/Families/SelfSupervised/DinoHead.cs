using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>DINO's head: an MLP to a narrow bottleneck of length 1, then cosines with prototypes. Names are the authors'.</summary>
internal sealed class DinoHead : nn.Module<Tensor, Tensor>
{
    private const double BottleneckEps = 1e-12;

    private readonly ProjectionHead mlp;
    private readonly WeightNormLinear last_layer;

    public DinoHead(int input, DinoOptions options) : base(nameof(DinoHead))
    {
        mlp = ProjectionHead.Gelu(input, options.HeadHiddenSize, options.BottleneckSize, options.HeadLayers, options.HeadBatchNorm);
        last_layer = new(options.BottleneckSize, options.Prototypes, fixedLength: options.NormalizePrototypes);
        RegisterComponents();
    }

    /// <summary>The last layer's parameters.</summary>
    public IEnumerable<Parameter> LastLayer => last_layer.parameters();

    public override Tensor forward(Tensor x) => last_layer.forward(F.normalize(mlp.forward(x), dim: -1, eps: BottleneckEps));    // [B, D] -> [B, prototypes]

    public void Draw(Generator generator)
    {
        mlp.Draw(generator);
        last_layer.Draw(generator);
    }
}

/// <summary>A linear layer without bias whose rows are a direction and a length (weight normalization, arXiv 1602.07868).</summary>
internal sealed class WeightNormLinear : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight_g, weight_v;

    /// <param name="inputs">The width that comes in.</param>
    /// <param name="outputs">The width that goes out.</param>
    /// <param name="fixedLength">Whether every row keeps its length, which is 1 at the start.</param>
    public WeightNormLinear(int inputs, int outputs, bool fixedLength) : base(nameof(WeightNormLinear))
    {
        weight_g = Parameters.Full(1, outputs, 1);
        weight_v = Parameters.Empty(outputs, inputs);
        RegisterComponents();
        weight_g.requires_grad = !fixedLength;
    }

    public override Tensor forward(Tensor x) => F.linear(x, weight_v * (weight_g / weight_v.norm(1, keepdim: true)));

    public void Draw(Generator generator) => Initialization.FanInUniform(weight_v, weight_v.shape[1], generator);
}
