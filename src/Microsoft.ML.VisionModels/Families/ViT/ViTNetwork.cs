using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;
using LayerNorm = TorchSharp.Modules.LayerNorm;
using Parameter = TorchSharp.Modules.Parameter;

namespace Microsoft.ML.VisionModels.Families.ViT;

/// <summary>
/// The Vision Transformer: "An Image is Worth 16x16 Words" (arXiv 2010.11929), with DeiT's distillation token (arXiv 2012.12877), and
/// as self-supervised training has it: DINO (arXiv 2104.14294), MAE's encoder (arXiv 2111.06377), DINOv2 (arXiv 2304.07193) with
/// registers (arXiv 2309.16588). Reference implementations: google-research/vision_transformer, timm, facebookresearch's dino, dinov2
/// and mae, and Hugging Face's ViT, DeiT, ViTMAE and DINOv2. Parameters carry timm's names.
/// </summary>
/// <remarks>Built without values: load a checkpoint, or call <see cref="Draw"/>.</remarks>
internal sealed class ViTNetwork : nn.Module<Tensor, Tensor>, INetwork<ViTConfig, ViTNetwork>, ITrainableClassifier, IFeatureNetwork
{
    internal const double InitialStd = 0.02;

    private readonly PatchEmbedding patch_embed;
    private Parameter? cls_token, dist_token, reg_token;
    private Parameter pos_embed;
    private readonly Dropout _embeddingDropout;
    private readonly LayerNorm? norm_pre;
    private readonly Transformer blocks;
    private readonly LayerNorm norm;
    private readonly AttentionPooling? attn_pool;
    private readonly Linear? pooler, head, head_dist;

    /// <param name="config">The hyper-parameters.</param>
    /// <param name="generator">The source of dropout and drop path while training; the caller keeps it alive. Scoring needs none.</param>
    public ViTNetwork(ViTConfig config, Generator? generator = null) : base(nameof(ViTNetwork))
    {
        Config = config.Validate();
        patch_embed = new(config.Channels, config.Width, config.PatchSize, config.PatchBias);
        cls_token = config.ClassToken ? Rows(1) : null;
        dist_token = config.DistillationToken ? Rows(1) : null;
        reg_token = config.RegisterTokens > 0 ? Rows(config.RegisterTokens) : null;
        pos_embed = Rows(config.PositionedTokens + config.Grid.Area);
        _embeddingDropout = new(config.Dropout, generator);
        norm_pre = config.EmbeddingNorm ? Parameters.LayerNorm(config.Width, config.NormEps) : null;
        blocks = new(config.Transformer, generator);
        norm = Parameters.LayerNorm(config.Width, config.NormEps);
        attn_pool = config.Pooling == ViTPooling.Attention ? new(config.Transformer, generator) : null;
        pooler = config.Pooler ? new(config.Width, config.Width) : null;
        head = config.Classes is { } classes ? new(config.PooledWidth, classes) : null;
        head_dist = config is { DistillationHead: true, Classes: { } same } ? new(config.Width, same) : null;
        RegisterComponents();

        Parameter Rows(int count) => Parameters.Empty(1, count, config.Width);
    }

    public ViTConfig Config { get; private set; }

    public static ViTNetwork Create(ViTConfig config, Generator? generator = null) => new(config, generator);

    /// <inheritdoc cref="Transformer.GradientCheckpointing"/>
    public bool GradientCheckpointing { get => blocks.GradientCheckpointing; set => blocks.GradientCheckpointing = value; }

    /// <summary>The trace name of a block's attention probabilities, [B, heads, T, T].</summary>
    public static string AttentionName(int block) => $"attentions.{block}";

    /// <summary>Logits [B, classes] of normalized images [B, C, H, W].</summary>
    public override Tensor forward(Tensor pixels) => Logits(Tokens(pixels));

    /// <summary>Every token after the final layer norm.</summary>
    /// <param name="pixels">Normalized images [B, C, H, W].</param>
    /// <param name="trace">Takes <c>patch_embeddings</c>, <c>embeddings</c> (with positions), <c>hidden_states.i</c>, <c>attentions.i</c> and <c>final_layernorm</c> where it wants them.</param>
    /// <returns>[B, T, D]: class token, distillation token, registers, patches row by row.</returns>
    public Tensor Tokens(Tensor pixels, Trace? trace = null)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels, trace);
        x = blocks.forward(x, trace: trace);
        x = norm.forward(x);
        trace?.Add("final_layernorm", x);
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>The same of some patches alone, as a masked autoencoder sees them (arXiv 2111.06377).</summary>
    /// <param name="pixels">Normalized images [B, C, H, W].</param>
    /// <param name="visible">The places of the patches that are seen, [B, K] int64.</param>
    /// <returns>[B, P + K, D].</returns>
    public Tensor VisibleTokens(Tensor pixels, Tensor visible)
    {
        using var scope = NewDisposeScope();
        var x = Embed(pixels, null);
        var seen = Patches(x).gather(1, visible.unsqueeze(2).expand(-1, -1, Config.Width));        // [B, K, D]
        return norm.forward(blocks.forward(cat([x.narrow(1, 0, Config.PrefixTokens), seen], 1))).MoveToOuterDisposeScope();
    }

    /// <summary>Images [B, C, H, W] to tokens with positions [B, T, D].</summary>
    private Tensor Embed(Tensor pixels, Trace? trace)
    {
        var positions = Positions(pixels);
        var patches = patch_embed.forward(pixels);                              // [B, N, D]
        trace?.Add("patch_embeddings", patches);

        var x = Prepend([cls_token, dist_token], patches).Add(positions);         // [B, P + N, D]
        if (reg_token is not null)
        {
            var positioned = x.split([Config.PositionedTokens, x.shape[1] - Config.PositionedTokens], 1);
            x = cat([positioned[0], reg_token.expand(x.shape[0], -1, -1), positioned[1]], 1);   // [B, P + R + N, D]
        }
        x = _embeddingDropout.forward(x);
        trace?.Add("embeddings", x);
        return norm_pre?.forward(x) ?? x;
    }

    private static Tensor Prepend(IEnumerable<Parameter?> tokens, Tensor patches)
    {
        var present = tokens.OfType<Parameter>().Select(token => token.expand(patches.shape[0], -1, -1));
        return cat([.. present, patches], 1);
    }

    private Tensor Positions(Tensor pixels)
    {
        if (pixels.dim() != 4 || pixels.shape[1] != Config.Channels)
            throw new ArgumentException($"Images must be [batch, {Config.Channels}, height, width], not [{string.Join(", ", pixels.shape)}].", nameof(pixels));
        var size = SizeOf(pixels);
        if (size == Config.ImageSize)
            return pos_embed;
        if (Config.Interpolation is not { } rule)
            throw new ArgumentException($"The image is {size} pixels, but the network is for {Config.ImageSize}; resize it, or allow position interpolation.", nameof(pixels));
        var grid = size.DividedInto(Config.PatchSize);
        if (grid.Area == 0)
            throw new ArgumentException($"An image of {size} pixels holds no patch of {Config.PatchSize}.", nameof(pixels));
        // Of an image that is not square the authors' code resamples the positions even for a grid that they are of.
        return grid == Config.Grid && size.Height == size.Width ? pos_embed : PositionEmbedding.Interpolate(pos_embed, Config.Grid, grid, rule);
    }

    private static ImageSize SizeOf(Tensor pixels) => new((int)pixels.shape[2], (int)pixels.shape[3]);

    /// <summary>One vector an image, [B, D], or [B, 2 D] of class token and mean: what the head reads, or the pooler's output where the network has one.</summary>
    public Tensor Embedding(Tensor tokens) => pooler is null ? Pooled(tokens) : pooler.forward(tokens.select(1, 0)).tanh();

    /// <summary>Class scores before the softmax, [B, classes]; of two heads their mean. Traces <c>cls_logits</c> and <c>distillation_logits</c>.</summary>
    /// <exception cref="InvalidOperationException">The network has no head.</exception>
    public Tensor Logits(Tensor tokens, Trace? trace = null)
    {
        if (head is null)
            throw new InvalidOperationException("This Vision Transformer has no classification head.");
        var logits = head.forward(Pooled(tokens));
        if (head_dist is null)
            return logits;
        var distillation = head_dist.forward(tokens.select(1, 1));
        trace?.Add("cls_logits", logits);
        trace?.Add("distillation_logits", distillation);
        return logits.Add(distillation).Div(2);
    }

    private Tensor Pooled(Tensor tokens) => Config.Pooling switch      // [B, T, D] -> [B, D]
    {
        ViTPooling.Class => tokens.select(1, 0),
        ViTPooling.Mean => Patches(tokens).mean([1]),
        ViTPooling.ClassAndMean => cat([tokens.select(1, 0), Patches(tokens).mean([1])], 1),      // [B, 2 D]
        ViTPooling.Attention => attn_pool!.forward(tokens),
        _ => throw new InvalidOperationException($"Unknown pooling {Config.Pooling}."),
    };

    private Tensor Patches(Tensor tokens) => tokens.narrow(1, Config.PrefixTokens, tokens.shape[1] - Config.PrefixTokens);   // [B, T, D] -> [B, N, D]

    /// <summary>How much each patch speaks for the likeliest class, [B, N]: for a head that reads the mean of the patches.</summary>
    public Tensor ClassActivations(Tensor tokens, Tensor logits) => ClassActivation.Of(Patches(tokens), head!.weight, logits.argmax(1));

    /// <summary>
    /// Makes this a network for images of another size, by resampling the loaded positions: for fine-tuning at another resolution, or
    /// once for all images of that size. Call it before an optimizer takes the parameters.
    /// </summary>
    public ViTNetwork Resize(ImageSize imageSize)
    {
        var config = (Config with { ImageSize = imageSize }).Validate();
        if (config.Grid != Config.Grid)
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            var resized = PositionEmbedding.Interpolate(pos_embed, Config.Grid, config.Grid, Config.Interpolation ?? PositionInterpolation.Size);
            pos_embed.Dispose();
            pos_embed = new Parameter(resized.clone().DetachFromDisposeScope());
            ConditionallyRegisterParameter(nameof(pos_embed), pos_embed);
        }
        Config = config;
        return this;
    }

    /// <summary>
    /// Draws every weight: linear layers with the spread of Xavier's rule for the network's width, as the paper's own code does;
    /// positions and extra tokens from a truncated normal of 0.02, the class token from 1e-6.
    /// </summary>
    /// <remarks>timm's fixed 0.02 is close to that rule for wide networks, but so small for narrow ones that they learn several times slower.</remarks>
    public void Draw(Generator generator)
    {
        Initialization.Fill(this, 1 / Math.Sqrt(Config.Width), generator);
        foreach (var rows in new[] { dist_token, reg_token, pos_embed }.OfType<Parameter>())
            Initialization.TruncatedNormal(rows, InitialStd, generator);
        if (cls_token is not null)
            Initialization.Normal(cls_token, 1e-6, generator);
        attn_pool?.InitializeProbe(generator);
    }

    /// <summary>Draws new heads only, for fine-tuning a loaded network on other classes.</summary>
    public void DrawHead(Generator generator)
    {
        foreach (var each in new[] { head, head_dist }.OfType<Linear>())
            Initialization.Fill(each, InitialStd, generator);
    }

    public int EmbeddingSize => pooler is null ? Config.PooledWidth : Config.Width;

    public ImageSize AttentionSize => Config.Grid;

    /// <summary>
    /// The answer, and on request the embedding and a map of where the answer comes from: with a class token the attention roll-out,
    /// else how much each patch speaks for it.
    /// </summary>
    public ClassifierOutput Classify(Tensor pixels, bool embedding = false, bool attention = false)
    {
        using var trace = attention && Config.Pooling is ViTPooling.Class or ViTPooling.ClassAndMean ? new Trace(name => name.StartsWith("attentions.", StringComparison.Ordinal), AttentionRollout.MeanOfHeads) : null;
        var tokens = Tokens(pixels, trace);
        var logits = Logits(tokens);
        return new(logits, embedding ? Embedding(tokens) : null, attention ? Map(trace is null ? ClassActivations(tokens, logits) : Rollout(trace)) : null);
    }

    /// <summary>The embedding, the patch tokens as a map, and, of a network with a class token, where its heads look from there in the last block.</summary>
    public IReadOnlyList<ImageFeature> Features =>
    [
        new(IFeatureNetwork.Embedding, [EmbeddingSize]),
        new(IFeatureNetwork.FeatureMap, [Config.Width, Config.Grid.Height, Config.Grid.Width]),
        .. Config.ClassToken ? (ImageFeature[])[new(IFeatureNetwork.AttentionMaps, [Config.Heads, Config.Grid.Height, Config.Grid.Width])] : [],
    ];

    public IReadOnlyDictionary<string, Tensor> Describe(Tensor pixels, IReadOnlySet<string> wanted)
    {
        var last = AttentionName(Depth - 1);
        using var trace = wanted.Contains(IFeatureNetwork.AttentionMaps) ? new Trace(last) : null;
        var tokens = Tokens(pixels, trace);
        var grid = SizeOf(pixels).DividedInto(Config.PatchSize);
        var outputs = new Dictionary<string, Tensor>();
        if (wanted.Contains(IFeatureNetwork.Embedding))
            outputs[IFeatureNetwork.Embedding] = Embedding(tokens);
        if (wanted.Contains(IFeatureNetwork.FeatureMap))
            outputs[IFeatureNetwork.FeatureMap] = FeatureMap(tokens, grid);
        if (trace is not null)
            outputs[IFeatureNetwork.AttentionMaps] = AttentionMaps(trace[last], grid);
        return outputs;
    }

    /// <summary>The patches' tokens [B, T, D] as a map [B, D, rows, columns].</summary>
    /// <param name="tokens">What <see cref="Tokens"/> gives.</param>
    /// <param name="grid">Rows and columns of the patches.</param>
    public Tensor FeatureMap(Tensor tokens, ImageSize grid) => Patches(tokens).transpose(1, 2).unflatten(2, grid.Height, grid.Width);

    /// <summary>How much each head looks from the class token at each patch, [B, heads, rows, columns], as the authors of DINO show it.</summary>
    /// <param name="attentions">A block's attention [B, heads, T, T].</param>
    /// <param name="grid">Rows and columns of the patches.</param>
    public Tensor AttentionMaps(Tensor attentions, ImageSize grid) =>
        attentions.select(2, 0).narrow(2, Config.PrefixTokens, grid.Area).unflatten(2, grid.Height, grid.Width);

    public int Depth => Config.Depth;

    public bool IsHead(string parameter) => parameter.StartsWith("head", StringComparison.Ordinal);

    public int LayerOf(string parameter) => parameter.Split('.') switch
    {
        ["blocks", var block, ..] => int.Parse(block, CultureInfo.InvariantCulture) + 1,
        ["norm" or "pooler" or "head" or "head_dist", ..] => Depth + 1,
        _ => 0,
    };

    public bool IsSparedFromDecay(string parameter) => parameter is nameof(cls_token) or nameof(dist_token) or nameof(reg_token) or nameof(pos_embed);

    /// <summary>The shares of the patches in the class token, [B, N].</summary>
    private Tensor Rollout(Trace trace) => AttentionRollout.Of([.. Enumerable.Range(0, Depth).Select(block => trace[AttentionName(block)])], token: 0)
        .narrow(1, Config.PrefixTokens, Config.Grid.Area);

    /// <summary>Values of patches [B, N] as a map [B, rows, columns] whose largest value is 1; all 0 where no patch speaks for the answer.</summary>
    private Tensor Map(Tensor patches) => ClassActivation.Scaled(patches).view(-1, Config.Grid.Height, Config.Grid.Width);
}
