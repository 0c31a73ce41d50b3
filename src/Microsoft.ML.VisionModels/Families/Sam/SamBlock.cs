using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>Attention, within windows or to the whole image, and an MLP, each on a residual branch with its layer norm before it.</summary>
internal sealed class SamBlock : nn.Module<Tensor, Tensor>
{
    private readonly LayerNorm norm1, norm2;
    private readonly Attention attn;
    private readonly DecomposedPositions? rel_pos;
    private readonly Mlp mlp;
    private readonly int _window;

    public SamBlock(SamEncoderConfig config, int block) : base(nameof(SamBlock))
    {
        _window = config.WindowOf(block);
        norm1 = Parameters.LayerNorm(config.Width, config.NormEps);
        attn = new(config.Transformer, generator: null);
        rel_pos = config.RelativePositions ? new(_window, config.Width / config.Heads) : null;
        norm2 = Parameters.LayerNorm(config.Width, config.NormEps);
        mlp = new(config.Transformer, generator: null);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)        // [B, H, W, D]
    {
        using var scope = NewDisposeScope();
        // Windows at the edges are filled up with zeros, which are attended to like the rest.
        var windows = new WindowGrid((int)x.shape[1], (int)x.shape[2], _window, Shift: 0);
        var tokens = windows.Partition(norm1.forward(x));                                       // [B n, S S, D]
        x = x.Add(windows.Merge(rel_pos is null ? attn.forward(tokens) : attn.ForwardWithBias(tokens, rel_pos.forward)));
        return x.Add(mlp.forward(norm2.forward(x))).MoveToOuterDisposeScope();
    }
}
