using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>Brings an image encoder's features to the width of the mask decoder.</summary>
internal sealed class SamNeck : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1, conv2;
    private readonly LayerNorm2d norm1, norm2;

    public SamNeck(int inputs, int outputs) : base(nameof(SamNeck))
    {
        conv1 = new(inputs, outputs, kernel: 1, stride: 1, hasBias: false);
        norm1 = new(outputs);
        conv2 = new(outputs, outputs, kernel: 3, stride: 1, padding: 1, hasBias: false);
        norm2 = new(outputs);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => norm2.forward(conv2.forward(norm1.forward(conv1.forward(x))));    // [B, D, H, W] -> [B, 256, H, W]
}
