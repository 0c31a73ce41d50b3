using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using GroupNorm = Microsoft.ML.VisionModels.Layers.GroupNorm;
using Linear = Microsoft.ML.VisionModels.Layers.Linear;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>
/// A transformer over the places of a feature map, which look at each other and at the words, on a residual branch: "High-Resolution Image
/// Synthesis with Latent Diffusion Models" (arXiv 2112.10752, 3.3).
/// </summary>
internal sealed class SpatialTransformer : UNetBlock
{
    private const double GroupNormEps = 1e-6;       // whatever the other norms have

    private readonly GroupNorm norm;
    private readonly Linear proj_in, proj_out;      // published either as such or as convolutions of one place
    private readonly ModuleList<SpatialTransformerBlock> transformer_blocks;

    /// <param name="normGroups">Groups of the norm before it.</param>
    /// <param name="channels">C.</param>
    /// <param name="heads">Attention heads; the transformer's width is the largest multiple of them that the channels hold.</param>
    /// <param name="depth">Transformer blocks.</param>
    /// <param name="contextWidth">The width of the words' vectors.</param>
    /// <param name="onlyCross">Whether both attentions look at the words, none at the places.</param>
    public SpatialTransformer(int normGroups, int channels, int heads, int depth, int contextWidth, bool onlyCross) : base(nameof(SpatialTransformer))
    {
        var width = heads * (channels / heads);
        norm = new(normGroups, channels, GroupNormEps);
        (proj_in, proj_out) = (new(channels, width), new(width, channels));
        transformer_blocks = [.. Enumerable.Range(0, depth).Select(_ => new SpatialTransformerBlock(width, heads, contextWidth, onlyCross))];
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, BlockCondition condition)                                      // [B, C, H, W]
    {
        using var scope = NewDisposeScope();
        var places = proj_in.forward(norm.forward(x).flatten(2).transpose(1, 2));                           // [B, H W, D]
        foreach (var block in transformer_blocks)
            places = block.forward(places, condition);
        return x.Add(proj_out.forward(places).transpose(1, 2).view_as(x)).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention to the places, attention to the words, and an MLP with a gate, each on a residual branch after its norm.</summary>
internal sealed class SpatialTransformerBlock : nn.Module
{
    private const double NormEps = 1e-5;
    private const int MlpExpansion = 4;

    private readonly LayerNorm norm1, norm2, norm3;
    private readonly Attention? attn1;
    private readonly CrossAttention? cross_attn1;       // in its place
    private readonly CrossAttention attn2;
    private readonly Mlp ff;

    public SpatialTransformerBlock(int width, int heads, int contextWidth, bool onlyCross) : base(nameof(SpatialTransformerBlock))
    {
        var config = new TransformerConfig { Width = width, Depth = 1, Heads = heads, MlpWidth = MlpExpansion * width, Activation = Activation.GeGlu, QkvBias = false };
        (norm1, norm2, norm3) = (Parameters.LayerNorm(width, NormEps), Parameters.LayerNorm(width, NormEps), Parameters.LayerNorm(width, NormEps));
        if (onlyCross)
            cross_attn1 = new(width, heads, contextWidth: contextWidth, qkvBias: false);
        else
            attn1 = new(config, generator: null);
        attn2 = new(width, heads, contextWidth: contextWidth, qkvBias: false);
        ff = new(config, generator: null);
        RegisterComponents();
    }

    public Tensor forward(Tensor x, BlockCondition condition)                   // [B, T, D]
    {
        using var scope = NewDisposeScope();
        var words = condition.Context!;                                         // [B, S, context]
        x = Plus(x, norm1, normed => attn1?.forward(normed) ?? cross_attn1!.forward(normed, words, words));
        x = Plus(x, norm2, normed => attn2.forward(normed, words, words, condition.ContextMask));
        return Plus(x, norm3, ff.forward).MoveToOuterDisposeScope();

        // Each branch frees what it took.
        static Tensor Plus(Tensor x, LayerNorm norm, Func<Tensor, Tensor> branch)
        {
            using var scope = NewDisposeScope();
            return x.Add(branch(norm.forward(x))).MoveToOuterDisposeScope();
        }
    }
}
