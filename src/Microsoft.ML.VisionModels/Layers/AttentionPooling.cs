using Microsoft.ML.VisionModels.Core;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// Makes one vector of many tokens: a learned token looks at all of them, and an MLP follows on a residual branch. As in SigLIP's
/// vision tower (arXiv 2303.15343), after "Set Transformer" (arXiv 1810.00825).
/// </summary>
internal sealed class AttentionPooling : nn.Module<Tensor, Tensor>
{
    private readonly Parameter probe;
    private readonly Attention attn;
    private readonly LayerNorm norm;
    private readonly Mlp mlp;

    public AttentionPooling(TransformerConfig config, Generator? generator) : base(nameof(AttentionPooling))
    {
        probe = Parameters.Empty(1, 1, config.Width);
        attn = new(config, generator);
        norm = Parameters.LayerNorm(config.Width, config.NormEps);
        mlp = new(config, generator);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)    // [B, T, D] -> [B, D]
    {
        var pooled = attn.Across(probe.expand(x.shape[0], -1, -1), x);      // [B, 1, D]
        return pooled.Add(mlp.forward(norm.forward(pooled))).squeeze(1);
    }

    /// <summary>Draws the learned token with the spread of Xavier's rule; the layers are drawn with all others.</summary>
    public void InitializeProbe(Generator generator) => Initialization.TruncatedNormal(probe, 1 / Math.Sqrt(probe.shape[2]), generator);
}
