using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using ConvTranspose2d = Microsoft.ML.VisionModels.Layers.ConvTranspose2d;
using Linear = Microsoft.ML.VisionModels.Layers.Linear;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>
/// From an image embedding and prompts to masks: a two-way transformer, after which a token for each mask says, through a small network,
/// how the enlarged embedding's channels are mixed to it; another token says how good each mask is.
/// </summary>
internal sealed class SamMaskDecoder : nn.Module
{
    private const double FinalNormEps = 1e-5;       // whatever the others have

    private readonly Parameter iou_token, mask_tokens;      // [1, C], [masks, C]
    private readonly ModuleList<SamTwoWayBlock> blocks;
    private readonly CrossAttention final_attn;
    private readonly LayerNorm final_norm;
    private readonly ConvTranspose2d upscale1, upscale2;
    private readonly LayerNorm2d upscale_norm;
    private readonly ModuleList<SamHead> mask_heads;
    private readonly SamHead iou_head;

    public SamMaskDecoder(SamConfig config) : base(nameof(SamMaskDecoder))
    {
        var (width, masks) = (config.Width, config.MultiMasks + 1);
        (iou_token, mask_tokens) = (Parameters.Zeros(1, width), Parameters.Zeros(masks, width));
        blocks = [.. Enumerable.Range(0, config.Depth).Select(block => new SamTwoWayBlock(config, first: block == 0))];
        final_attn = new(width, config.Heads, width / config.AttentionDownsampling);
        final_norm = Parameters.LayerNorm(width, FinalNormEps);
        (upscale1, upscale_norm, upscale2) = (new(width, width / 4, 2), new(width / 4), new(width / 4, width / 8, 2));
        mask_heads = [.. Enumerable.Range(0, masks).Select(_ => new SamHead(width, width, width / 8, layers: 3))];
        iou_head = new(width, config.IouHeadWidth, masks, config.IouHeadDepth);
        RegisterComponents();
    }

    /// <param name="image">The image embedding with the mask prompts added, [P, C, H, W], or [1, C, H, W] where it is the same for all prompts.</param>
    /// <param name="imagePositions">[1, C, H, W].</param>
    /// <param name="sparse">The prompts' tokens, [P, N, C]; null for one prompt without any.</param>
    /// <param name="trace">Takes <c>two_way.i.queries</c>, <c>two_way.i.keys</c>, <c>two_way.final_queries</c> and <c>upscale_conv2</c>.</param>
    /// <returns>Logits of all masks [P, masks, 4 H, 4 W], of which the first is for clear prompts, and their predicted IoU [P, masks].</returns>
    public (Tensor Masks, Tensor Iou) forward(Tensor image, Tensor imagePositions, Tensor? sparse, Trace? trace = null)
    {
        using var scope = NewDisposeScope();
        var prompts = sparse?.shape[0] ?? image.shape[0];
        var own = cat([iou_token, mask_tokens], 0).unsqueeze(0).expand(prompts, -1, -1);                // [P, 1 + masks, C]
        var positions = sparse is null ? own : cat([own, sparse], 1);                                   // [P, T, C]
        var (height, width) = (image.shape[2], image.shape[3]);
        // Token by token in memory, once, for every layer reads them so.
        var (tokens, places) = (positions, image.flatten(2).transpose(1, 2).contiguous());              // [P, H W, C]
        var placePositions = imagePositions.flatten(2).transpose(1, 2).contiguous();

        for (var block = 0; block < blocks.Count; block++)
        {
            (tokens, places) = blocks[block].forward(tokens, places, positions, placePositions);
            trace?.Add($"two_way.{block}.queries", tokens);
            trace?.Add($"two_way.{block}.keys", places);
        }
        tokens = final_norm.forward(tokens.Add(final_attn.forward(tokens.Add(positions), places.Add(placePositions), places)));
        trace?.Add("two_way.final_queries", tokens);

        var enlarged = upscale1.forward(places.transpose(1, 2).unflatten(2, height, width));            // [P, C / 4, 2 H, 2 W]
        enlarged = upscale2.forward(Activation.Gelu.Apply(upscale_norm.forward(enlarged)));             // [P, C / 8, 4 H, 4 W]
        if (trace?.Wants("upscale_conv2") is true)
            trace.Add("upscale_conv2", enlarged.clone());       // the activation overwrites it
        enlarged = Activation.Gelu.Apply(enlarged);
        var mixtures = stack([.. mask_heads.Select((head, mask) => head.forward(tokens.select(1, 1 + mask)))], 1);     // [P, masks, C / 8]
        var masks = mixtures.matmul(enlarged.flatten(2)).unflatten(2, 4 * height, 4 * width);
        return (masks.MoveToOuterDisposeScope(), iou_head.forward(tokens.select(1, 0)).MoveToOuterDisposeScope());
    }

    /// <summary>Draws every weight.</summary>
    public void Initialize(Generator generator)
    {
        Initialization.Normal(iou_token, 1, generator);
        Initialization.Normal(mask_tokens, 1, generator);
        Initialization.Fill(this, 0.02, generator);
    }
}

/// <summary>Linear layers with ReLU between them.</summary>
internal sealed class SamHead : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<Linear> layers;

    public SamHead(int inputs, int width, int outputs, int layers) : base(nameof(SamHead))
    {
        this.layers = [.. Enumerable.Range(0, layers).Select(layer => new Linear(layer == 0 ? inputs : width, layer == layers - 1 ? outputs : width))];
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)        // [P, inputs] -> [P, outputs]
    {
        for (var layer = 0; layer < layers.Count; layer++)
            x = layer == 0 ? layers[layer].forward(x) : layers[layer].forward(Activation.Relu.Apply(x));
        return x;
    }
}
