using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;
using LayerNorm = TorchSharp.Modules.LayerNorm;
using Linear = Microsoft.ML.VisionModels.Layers.Linear;
using Parameter = TorchSharp.Modules.Parameter;
using Transformer = Microsoft.ML.VisionModels.Layers.Transformer;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>
/// MAE: "Masked Autoencoders Are Scalable Vision Learners" (arXiv 2111.06377). The encoder sees a quarter of the patches; a small decoder,
/// which goes when training is over, guesses the pixels of the others. Reference implementation: facebookresearch/mae, but that the
/// encoder's positions are learned, as those of every network here.
/// </summary>
internal sealed class Mae : SslLearner
{
    private const double InitialStd = 0.02, VarianceEps = 1e-6;

    private readonly ViTNetwork backbone;
    private readonly Linear decoder_embed, decoder_pred;
    private readonly Parameter mask_token;
    private Tensor decoder_pos_embed;           // [1, 1 + N, W], a buffer
    private readonly Transformer decoder_blocks;
    private readonly LayerNorm decoder_norm;
    private readonly MaeOptions _options;
    private readonly Generator _generator;

    /// <param name="backbone">The encoder.</param>
    /// <param name="options">How much is hidden, and the decoder's size.</param>
    /// <param name="generator">Chooses what is hidden; the caller keeps it alive.</param>
    public Mae(ViTNetwork backbone, MaeOptions options, Generator generator) : base(nameof(Mae))
    {
        (this.backbone, _options, _generator) = (backbone, options, generator);
        var (config, width) = (backbone.Config, options.DecoderWidth);
        if (config is not { ClassToken: true, PrefixTokens: 1 })
            throw new ArgumentException("Masked autoencoders train Vision Transformers that have a class token and no other beside their patches.");
        if (config.Grid.Area < 2)
            throw new ArgumentException($"Images of {config.ImageSize} are one patch of {config.PatchSize}, of which nothing can be hidden.");
        decoder_embed = new(config.Width, width);
        mask_token = Parameters.Empty(1, 1, width);
        decoder_pos_embed = SinCosPositions(config.Grid, width);
        decoder_blocks = new(new() { Width = width, Depth = options.DecoderDepth, Heads = options.DecoderHeads, MlpWidth = 4 * width });
        decoder_norm = Parameters.LayerNorm(width, config.NormEps);
        decoder_pred = new(width, config.PatchSize.Area * config.Channels);
        RegisterComponents();
    }

    public override nn.Module Kept => backbone;

    public override void DrawHeads(Generator generator)
    {
        foreach (var module in new nn.Module[] { decoder_embed, decoder_blocks, decoder_pred })
            Initialization.Fill(module, 1 / Math.Sqrt(_options.DecoderWidth), generator);
        Initialization.Normal(mask_token, InitialStd, generator);
    }

    /// <summary>The mean squared error of the guessed pixels, over the hidden patches alone.</summary>
    public override Tensor Loss(SslViews views)
    {
        var pixels = views.Together;                                            // [B, 3, H, W]
        var (order, visible) = DrawOrder(pixels);
        var target = Patchify(pixels);                                          // [B, N, p p 3]
        if (_options.NormalizePatches)
            target = (target - Mean(target)) / Deviation(target);
        var difference = Guess(pixels, order, visible) - target;
        var error = (difference * difference).mean([-1]);                       // [B, N]
        return error.gather(1, order.narrow(1, visible, order.shape[1] - visible)).mean();
    }

    /// <summary>Images in which the hidden patches are what the decoder guesses, and images in which they are gray.</summary>
    /// <param name="pixels">Normalized images [B, 3, H, W].</param>
    public (Tensor Painted, Tensor Hidden) Paint(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (order, visible) = DrawOrder(pixels);
        var patches = Patchify(pixels);
        var guess = Guess(pixels, order, visible);
        if (_options.NormalizePatches)
            guess = (guess * Deviation(patches)).Add(Mean(patches));         // what the network is not asked for is taken from the image
        var hidden = order.narrow(1, visible, order.shape[1] - visible).unsqueeze(2).expand(-1, -1, patches.shape[2]);
        return (Unpatchify(patches.scatter(1, hidden, guess.gather(1, hidden)), pixels).MoveToOuterDisposeScope(),
            Unpatchify(patches.scatter(1, hidden, zeros_like(guess)), pixels).MoveToOuterDisposeScope());
    }

    /// <summary>A random order of each image's patches, [B, N], of which the first are seen.</summary>
    private (Tensor Order, long Visible) DrawOrder(Tensor pixels)
    {
        // What is judged is hidden alike each time.
        using var judging = training ? null : new Generator(0);
        var (count, patches) = (pixels.shape[0], (long)backbone.Config.Grid.Area);
        var order = rand([count, patches], generator: judging ?? _generator).argsort(1).to(pixels.device);
        return (order, Math.Clamp((long)(patches * (1 - _options.MaskRatio)), 1, patches - 1));
    }

    /// <summary>What the decoder makes of every patch's pixels, [B, N, p p 3].</summary>
    private Tensor Guess(Tensor pixels, Tensor order, long visible)
    {
        var tokens = decoder_embed.forward(backbone.VisibleTokens(pixels, order.narrow(1, 0, visible)));        // [B, 1 + K, W]
        var (classToken, seen) = (tokens.narrow(1, 0, 1), tokens.narrow(1, 1, visible));
        var hidden = mask_token.expand(pixels.shape[0], order.shape[1] - visible, -1).to(seen.dtype);
        var shuffled = cat([seen, hidden], 1);                                  // [B, N, W]
        var inPlace = shuffled.gather(1, order.argsort(1).unsqueeze(2).expand_as(shuffled));
        var x = decoder_blocks.forward(cat([classToken, inPlace], 1).Add(decoder_pos_embed));
        return decoder_pred.forward(decoder_norm.forward(x)).narrow(1, 1, order.shape[1]).to(ScalarType.Float32);
    }

    /// <summary>Images [B, 3, H, W] as the pixels of their patches, [B, N, p p 3].</summary>
    private Tensor Patchify(Tensor pixels)
    {
        var (grid, patch) = (backbone.Config.Grid, backbone.Config.PatchSize);
        return pixels.reshape(pixels.shape[0], pixels.shape[1], grid.Height, patch.Height, grid.Width, patch.Width)
            .permute(0, 2, 4, 3, 5, 1)                                          // [B, h, w, p, q, 3]
            .flatten(3).flatten(1, 2);
    }

    private Tensor Unpatchify(Tensor patches, Tensor like)
    {
        var (grid, patch) = (backbone.Config.Grid, backbone.Config.PatchSize);
        return patches.reshape(like.shape[0], grid.Height, grid.Width, patch.Height, patch.Width, like.shape[1])
            .permute(0, 5, 1, 3, 2, 4)                                          // [B, 3, h, p, w, q]
            .reshape(like.shape);
    }

    private static Tensor Mean(Tensor patches) => patches.mean([-1], keepdim: true);

    private static Tensor Deviation(Tensor patches) => patches.var(-1, keepdim: true).Add(VarianceEps).sqrt();

    /// <summary>Fixed positions of sines and cosines, half of the width for the row and half for the column; nothing for the class token.</summary>
    private static Tensor SinCosPositions(ImageSize grid, int width)
    {
        var positions = new float[1 + grid.Area, width];
        var quarter = width / 4;
        for (var place = 0; place < grid.Area; place++)
        {
            for (var i = 0; i < quarter; i++)
            {
                var frequency = Math.Pow(10000, -(double)i / quarter);
                // The authors give the columns the first half.
                foreach (var (half, coordinate) in new[] { (0, place % grid.Width), (1, place / grid.Width) })
                {
                    positions[1 + place, half * 2 * quarter + i] = (float)Math.Sin(coordinate * frequency);
                    positions[1 + place, half * 2 * quarter + quarter + i] = (float)Math.Cos(coordinate * frequency);
                }
            }
        }
        return tensor(positions).unsqueeze(0);
    }
}
