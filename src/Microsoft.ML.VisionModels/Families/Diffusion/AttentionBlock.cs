using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>Attention between all places of a feature map, on a residual branch: that of unconditional U-Nets and of autoencoders.</summary>
internal sealed class AttentionBlock : UNetBlock
{
    private readonly GroupNorm? group_norm;
    private readonly Attention attn;
    private readonly double _outputScale;

    /// <param name="config">What it has in common with other blocks.</param>
    /// <param name="channels">C.</param>
    /// <param name="heads">Among which the channels are divided.</param>
    /// <param name="normGroups">Groups of the norm before it; null for no norm.</param>
    public AttentionBlock(BlockConfig config, int channels, int heads, int? normGroups) : base(nameof(AttentionBlock))
    {
        group_norm = normGroups is { } groups ? new(groups, channels, config.NormEps) : null;
        attn = new(new() { Width = channels, Depth = 1, Heads = heads, MlpWidth = channels }, generator: null);
        _outputScale = config.OutputScale;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, BlockCondition condition)          // [B, C, H, W]
    {
        using var scope = NewDisposeScope();
        var places = (group_norm?.forward(x) ?? x).flatten(2).transpose(1, 2);  // [B, H W, C]
        var branch = attn.forward(places).transpose(1, 2).view_as(x);
        return UNetSums.Of(x, branch, _outputScale).MoveToOuterDisposeScope();
    }
}
