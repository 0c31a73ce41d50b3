using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>What the masked autoencoder can be told (arXiv 2111.06377).</summary>
public sealed class MaeOptions
{
    /// <summary>The share of the patches that are hidden, above 0 and below 1. Default 0.75, the paper's.</summary>
    [Range(0.5, 0.9, 0.75)]
    public double MaskRatio { get; set; } = 0.75;

    /// <summary>The width of the decoder's tokens, a multiple of 4 and of <see cref="DecoderHeads"/>. Default 128; the paper has 512 for ViT-B.</summary>
    public int DecoderWidth { get; set; } = 128;

    /// <summary>The decoder's blocks, at least 1. Default 2; the paper has 8.</summary>
    public int DecoderDepth { get; set; } = 2;

    /// <summary>The decoder's attention heads, at least 1. Default 4; the paper has 16.</summary>
    public int DecoderHeads { get; set; } = 4;

    /// <summary>Guess each patch's pixels as they lie around its own mean, in its own spread. Default true, which the authors found to make better features.</summary>
    [BooleanChoice(true)]
    public bool NormalizePatches { get; set; } = true;

    internal MaeOptions Copy() => (MaeOptions)MemberwiseClone();

    internal void Validate()
    {
        OptionChecks.Require(MaskRatio, MaskRatio is > 0 and < 1, "above 0 and below 1", "Mae.MaskRatio");
        OptionChecks.Require(DecoderDepth, DecoderDepth >= 1, "at least 1", "Mae.DecoderDepth");
        OptionChecks.Require(DecoderHeads, DecoderHeads >= 1, "at least 1", "Mae.DecoderHeads");
        OptionChecks.Require(DecoderWidth, DecoderWidth >= 4 && DecoderWidth % 4 == 0 && DecoderWidth % DecoderHeads == 0, "a multiple of 4 and of DecoderHeads", "Mae.DecoderWidth");
    }
}
