using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Linear = Microsoft.ML.VisionModels.Layers.Linear;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>Makes one token of each two by two, with twice the channels. V1 normalizes before the projection, V2 after it.</summary>
internal sealed class PatchMerging : nn.Module<Tensor, Tensor>
{
    private readonly Linear reduction;
    private readonly LayerNorm norm;
    private readonly bool _normAtEnd;

    public PatchMerging(SwinVersion version, int width) : base(nameof(PatchMerging))
    {
        _normAtEnd = version == SwinVersion.V2;
        reduction = new(4 * width, 2 * width, hasBias: false);
        norm = Parameters.LayerNorm((_normAtEnd ? 2 : 4) * width, SwinConfig.FixedNormEps);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)                            // [B, H, W, D]
    {
        using var scope = NewDisposeScope();
        var (oddHeight, oddWidth) = (x.shape[1] % 2, x.shape[2] % 2);
        if (oddHeight + oddWidth > 0)
            x = F.pad(x, [0, 0, 0, oddWidth, 0, oddHeight]);
        x = x.reshape(x.shape[0], x.shape[1] / 2, 2, x.shape[2] / 2, 2, x.shape[3])
            .permute(0, 1, 3, 4, 2, 5)                                  // down before right, as the weights have it
            .flatten(3);                                                // [B, H / 2, W / 2, 4 D]
        // The sums that follow have the norm's precision, whatever the product has.
        x = _normAtEnd ? norm.forward(reduction.forward(x).to(norm.weight.dtype)) : reduction.forward(norm.forward(x)).to(norm.weight.dtype);
        return x.MoveToOuterDisposeScope();                             // [B, H / 2, W / 2, 2 D]
    }
}
