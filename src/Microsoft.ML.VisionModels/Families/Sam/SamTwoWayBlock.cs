using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>A block of the decoder: tokens attend to one another and to the image, and the image attends to the tokens.</summary>
internal sealed class SamTwoWayBlock : nn.Module
{
    private readonly CrossAttention self_attn, token_to_image, image_to_token;
    private readonly LayerNorm norm1, norm2, norm3, norm4;
    private readonly Mlp mlp;
    private readonly bool _first;

    /// <param name="config">The hyper-parameters.</param>
    /// <param name="first">The first block's tokens are still what their positions say: they attend without them, and are replaced.</param>
    public SamTwoWayBlock(SamConfig config, bool first) : base(nameof(SamTwoWayBlock))
    {
        var (width, inner) = (config.Width, config.Width / config.AttentionDownsampling);
        self_attn = new(width, config.Heads);
        (token_to_image, image_to_token) = (new(width, config.Heads, inner), new(width, config.Heads, inner));
        mlp = new(new TransformerConfig { Width = width, Depth = 1, Heads = config.Heads, MlpWidth = config.MlpWidth, Activation = config.Activation }, generator: null);
        (norm1, norm2, norm3, norm4) = (Norm(), Norm(), Norm(), Norm());
        _first = first;
        RegisterComponents();

        LayerNorm Norm() => Parameters.LayerNorm(width, config.NormEps);
    }

    /// <param name="tokens">[P, T, C].</param>
    /// <param name="image">[P, H W, C], or [1, H W, C] as long as it is the same for all.</param>
    /// <param name="tokenPositions">[P, T, C].</param>
    /// <param name="imagePositions">[1, H W, C].</param>
    public (Tensor Tokens, Tensor Image) forward(Tensor tokens, Tensor image, Tensor tokenPositions, Tensor imagePositions)
    {
        using var scope = NewDisposeScope();
        if (_first)
        {
            tokens = norm1.forward(self_attn.forward(tokens, tokens, tokens));
        }
        else
        {
            var placed = tokens.Add(tokenPositions);
            tokens = norm1.forward(tokens.Add(self_attn.forward(placed, placed, tokens)));
        }
        var placedImage = image.Add(imagePositions);
        tokens = norm2.forward(tokens.Add(token_to_image.forward(tokens.Add(tokenPositions), placedImage, image)));
        tokens = norm3.forward(tokens.Add(mlp.forward(tokens)));
        image = norm4.forward(image.Add(image_to_token.forward(placedImage, tokens.Add(tokenPositions), tokens)));
        return (tokens.MoveToOuterDisposeScope(), image.MoveToOuterDisposeScope());
    }
}
