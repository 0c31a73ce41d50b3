namespace Microsoft.ML.VisionModels;

/// <summary>What is taken from each rescaled color, and what the rest is divided by: (x - mean) / std.</summary>
/// <param name="Mean">Per channel, on the rescaled values.</param>
/// <param name="Std">Per channel, on the rescaled values.</param>
public sealed record ImageNormalization((float Red, float Green, float Blue) Mean, (float Red, float Green, float Blue) Std)
{
    /// <summary>Mean and deviation 0.5: values from -1 to 1, as ViT's and SigLIP's checkpoints expect.</summary>
    public static ImageNormalization Half { get; } = new((0.5f, 0.5f, 0.5f), (0.5f, 0.5f, 0.5f));

    /// <summary>The statistics of ImageNet, as DeiT's, Swin's, DINO's and SAM's checkpoints expect.</summary>
    public static ImageNormalization ImageNet { get; } = new((0.485f, 0.456f, 0.406f), (0.229f, 0.224f, 0.225f));

    /// <summary>The statistics of CLIP's training data, as CLIP's and BLIP's checkpoints expect.</summary>
    public static ImageNormalization Clip { get; } =
        new((0.48145466f, 0.4578275f, 0.40821073f), (0.26862954f, 0.26130258f, 0.27577711f));
}
