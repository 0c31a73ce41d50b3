using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>
/// SAM's image encoder (arXiv 2304.02643; ViTDet, arXiv 2203.16527): a Vision Transformer whose blocks attend within windows, but for
/// four that attend to the whole image, and a neck that makes its tokens narrower.
/// </summary>
internal sealed class SamImageEncoder : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d patch_embed;
    private readonly Parameter? pos_embed;      // [1, H, W, D]
    private readonly ModuleList<SamBlock> blocks;
    private readonly SamNeck neck;
    private readonly int _imageSize;

    public SamImageEncoder(SamEncoderConfig config) : base(nameof(SamImageEncoder))
    {
        patch_embed = new(config.Channels, config.Width, config.PatchSize, stride: config.PatchSize);
        pos_embed = config.AbsolutePositions ? Parameters.Zeros(1, config.Grid, config.Grid, config.Width) : null;
        blocks = [.. Enumerable.Range(0, config.Depth).Select(block => new SamBlock(config, block))];
        neck = new(config.Width, config.OutputWidth);
        _imageSize = config.ImageSize;
        RegisterComponents();
    }

    public override Tensor forward(Tensor pixels) => forward(pixels, null);

    /// <param name="pixels">[B, 3, S, S].</param>
    /// <param name="trace">Takes <c>patch_embeddings</c> and <c>hidden_states.0</c> to <c>hidden_states.Depth</c>, [B, H, W, D].</param>
    /// <returns>The image embedding, [B, C, H, W].</returns>
    public Tensor forward(Tensor pixels, Trace? trace)
    {
        if (pixels.shape[2] != _imageSize || pixels.shape[3] != _imageSize)
            throw new ArgumentException($"The image encoder takes images of {_imageSize} x {_imageSize}, not [{string.Join(", ", pixels.shape)}].", nameof(pixels));
        using var scope = NewDisposeScope();
        var x = patch_embed.forward(pixels).permute(0, 2, 3, 1);            // [B, 3, S, S] -> [B, H, W, D]
        trace?.Add("patch_embeddings", x);
        if (pos_embed is not null)
            x = x.Add(pos_embed);
        trace?.Add("hidden_states.0", x);
        for (var block = 0; block < blocks.Count; block++)
        {
            var earlier = x;
            x = blocks[block].forward(x);
            if (!is_grad_enabled())
                earlier.Dispose();
            trace?.Add($"hidden_states.{block + 1}", x);
        }
        return neck.forward(x.permute(0, 3, 1, 2)).MoveToOuterDisposeScope();
    }

    /// <summary>Draws every weight; positions start as none.</summary>
    public void Initialize(Generator generator) => Initialization.Fill(this, 0.02, generator);
}
