using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ViT;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>The hyper-parameters of CLIP or SigLIP: two towers whose vectors meet in one space.</summary>
internal sealed partial record ClipConfig
{
    /// <summary>SigLIP's: as most pairs do not belong together.</summary>
    internal const double InitialLogitBias = -10;

    public required ViTConfig Vision { get; init; }

    public required ClipTextConfig Text { get; init; }

    /// <summary>The length of the vectors.</summary>
    [ConfigKey("projection_dim")]
    public int EmbeddingSize { get; init; } = 512;

    /// <summary>Whether the vision tower's vector is projected (CLIP), or is the image's as it is (SigLIP).</summary>
    public bool VisionProjection { get; init; } = true;

    /// <summary>Each pair of an image and a text is judged by itself, with a sigmoid and a bias (SigLIP), not among all texts with a softmax (CLIP).</summary>
    public bool Sigmoid { get; init; }

    /// <summary>The logarithm of what cosines are multiplied with at the start: 1 / 0.07 (arXiv 2103.00020, 2.5) or 10 (arXiv 2303.15343, 3.2).</summary>
    public double InitialLogitScale => Sigmoid ? Math.Log(10) : Math.Log(1 / 0.07);

    /// <summary>CLIP's towers: a class token and a norm before the blocks, no bias where patches become tokens.</summary>
    public static ClipConfig Of(ViTConfig vision, ClipTextConfig text, int embeddingSize) => new()
    {
        Vision = vision with { PatchBias = false, EmbeddingNorm = true },
        Text = text with { EmbeddingSize = embeddingSize },
        EmbeddingSize = embeddingSize,
    };

    /// <summary>Throws for hyper-parameters that make no network.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the numbers do not fit each other.</exception>
    public ClipConfig Validate()
    {
        HyperParameters.Check(this);
        Vision.Validate();
        Text.Validate();
        if (Text.EmbeddingSize != EmbeddingSize)
            throw new ArgumentException($"The text tower's vectors have {Text.EmbeddingSize} numbers, but the embedding size is {EmbeddingSize}.");
        if (!VisionProjection && Vision.Width != EmbeddingSize)
            throw new ArgumentException($"Without a projection the vision tower's width, {Vision.Width}, must be the embedding size, {EmbeddingSize}.");
        return this;
    }
}
