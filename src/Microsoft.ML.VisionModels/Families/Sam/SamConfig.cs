using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>The hyper-parameters of the Segment Anything Model: an image encoder, a prompt encoder and a mask decoder, whose keys in config.json are named here.</summary>
internal sealed partial record SamConfig
{
    /// <summary>The encoder of the paper; null where <see cref="TinyVit"/> is it.</summary>
    public SamEncoderConfig? Vision { get; init; }

    /// <summary>MobileSAM's encoder; null where <see cref="Vision"/> is it.</summary>
    public TinyVitConfig? TinyVit { get; init; }

    /// <summary>The side of the square that images are padded to, in pixels.</summary>
    [FromTo(1, Limits.NetworkImageSide)]
    public int ImageSize { get; init; } = 1024;

    /// <summary>The side of the image embedding, in places.</summary>
    [FromTo(1, Limits.NetworkImageSide)]
    public int Grid { get; init; } = 64;

    /// <summary>The width of the image embedding, the prompts and the decoder's tokens.</summary>
    [ConfigKey("hidden_size")]
    public int Width { get; init; } = 256;

    /// <summary>Channels of a mask prompt on its way to <see cref="Width"/>; a quarter of them after the first step.</summary>
    public int MaskPromptChannels { get; init; } = 16;

    /// <summary>The activation between the steps of a mask prompt.</summary>
    public Activation PromptActivation { get; init; } = Activation.Gelu;

    /// <summary>Blocks of the two-way transformer.</summary>
    [ConfigKey("num_hidden_layers")]
    public int Depth { get; init; } = 2;

    [ConfigKey("num_attention_heads")]
    public int Heads { get; init; } = 8;

    [ConfigKey("mlp_dim")]
    public int MlpWidth { get; init; } = 2048;

    /// <summary>The activation of the two-way transformer's MLPs.</summary>
    [ConfigKey("hidden_act")]
    public Activation Activation { get; init; } = Activation.Relu;

    /// <summary>By how much the products of cross-attention are narrower than <see cref="Width"/>.</summary>
    [ConfigKey("attention_downsample_rate")]
    public int AttentionDownsampling { get; init; } = 2;

    /// <summary>The masks for ambiguous prompts; there is one more for clear ones.</summary>
    [ConfigKey("num_multimask_outputs")]
    public int MultiMasks { get; init; } = 3;

    /// <summary>Layers of the head that predicts how good a mask is.</summary>
    [ConfigKey("iou_head_depth")]
    public int IouHeadDepth { get; init; } = 3;

    [ConfigKey("iou_head_hidden_dim")]
    public int IouHeadWidth { get; init; } = 256;

    /// <summary>The epsilon of the two-way transformer's norms: 1e-5 in Meta's own code, 1e-6 in Hugging Face's.</summary>
    [ConfigKey("layer_norm_eps")]
    public double NormEps { get; init; } = 1e-5;

    /// <summary>The side of masks as they are decoded, in places.</summary>
    public int MaskSize => 4 * Grid;

    /// <summary>Throws for hyper-parameters that make no network.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the numbers do not fit each other.</exception>
    public SamConfig Validate()
    {
        HyperParameters.Check(this);
        if (Vision is null == TinyVit is null)
            throw new ArgumentException("SAM has one image encoder: its own, or TinyViT.");
        if (Width % 8 != 0 || Width % ((long)Heads * AttentionDownsampling) != 0 || MaskPromptChannels % 4 != 0 || IouHeadDepth < 2)
            throw new ArgumentException($"A width of {Width}, {Heads} heads, {MaskPromptChannels} channels of a mask prompt and {IouHeadDepth} layers of the head for IoU make no SAM.");
        if (Vision is { } vision && (vision.Validate().ImageSize != ImageSize || vision.Grid != Grid || vision.OutputWidth != Width))
            throw new ArgumentException($"The image encoder gives {vision.Grid} x {vision.Grid} places of {vision.OutputWidth} numbers from images of {vision.ImageSize}, but the decoder takes {Grid} x {Grid} of {Width} from {ImageSize}.");
        return this;
    }
}
