using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Two linear layers with an activation between.</summary>
internal sealed class Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc1, fc2;
    private readonly Dropout _dropout;
    private readonly Activation _activation;

    public Mlp(TransformerConfig config, Generator? generator) : base(nameof(Mlp))
    {
        fc1 = new(config.Width, config.MlpWidth);
        fc2 = new(config.MlpWidth, config.Width);
        _activation = config.Activation;
        _dropout = new(config.Dropout, generator);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) =>
        _dropout.forward(fc2.forward(_activation.Apply(fc1.forward(x))));   // [B, T, D] -> [B, T, M] -> [B, T, D]
}
