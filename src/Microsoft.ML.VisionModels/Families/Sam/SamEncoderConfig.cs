using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>The hyper-parameters of SAM's image encoder: a plain Vision Transformer that mostly attends within windows (ViTDet, arXiv 2203.16527).</summary>
internal sealed record SamEncoderConfig
{
    [ConfigKey("image_size"), FromTo(1, Limits.NetworkImageSide)]
    public int ImageSize { get; init; } = 1024;

    [ConfigKey("patch_size")]
    public int PatchSize { get; init; } = 16;

    [ConfigKey("num_channels")]
    public int Channels { get; init; } = 3;

    [ConfigKey("hidden_size")]
    public int Width { get; init; } = 768;

    [ConfigKey("num_hidden_layers")]
    public int Depth { get; init; } = 12;

    [ConfigKey("num_attention_heads")]
    public int Heads { get; init; } = 12;

    [ConfigKey("mlp_dim")]
    public int MlpWidth { get; init; } = 3072;

    [ConfigKey("hidden_act")]
    public Activation Activation { get; init; } = Activation.Gelu;

    [ConfigKey("layer_norm_eps")]
    public double NormEps { get; init; } = 1e-6;

    [ConfigKey("qkv_bias")]
    public bool QkvBias { get; init; } = true;

    /// <summary>Whether each place has a learned position.</summary>
    [ConfigKey("use_abs_pos")]
    public bool AbsolutePositions { get; init; } = true;

    /// <summary>Whether attention knows how places lie to one another.</summary>
    [ConfigKey("use_rel_pos")]
    public bool RelativePositions { get; init; } = true;

    /// <summary>The side of an attention window, in places.</summary>
    [ConfigKey("window_size"), FromTo(1, Limits.AttentionWindow)]
    public int Window { get; init; } = 14;

    /// <summary>The blocks that attend to the whole image.</summary>
    [ConfigKey("global_attn_indexes"), FromTo(0)]
    public int[] GlobalBlocks { get; init; } = [2, 5, 8, 11];

    /// <summary>The width of the image embedding.</summary>
    [ConfigKey("output_channels")]
    public int OutputWidth { get; init; } = 256;

    /// <summary>The side of the image embedding, in places.</summary>
    public int Grid => ImageSize / PatchSize;

    /// <summary>The sequence that a block attends to has this side.</summary>
    public int WindowOf(int block) => GlobalBlocks.Contains(block) ? Grid : Window;

    public TransformerConfig Transformer => new()
    {
        Width = Width, Depth = Depth, Heads = Heads, MlpWidth = MlpWidth, Activation = Activation, NormEps = NormEps, QkvBias = QkvBias,
    };

    /// <summary>Throws for hyper-parameters that make no network.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the numbers do not fit each other.</exception>
    public SamEncoderConfig Validate()
    {
        HyperParameters.Check(this);
        if (ImageSize % PatchSize != 0)
            throw new ArgumentException($"Images of {ImageSize} pixels cannot be cut into patches of {PatchSize}.");
        if (Width % Heads != 0)
            throw new ArgumentException($"The width {Width} cannot be divided among {Heads} attention heads.");
        return this;
    }
}
