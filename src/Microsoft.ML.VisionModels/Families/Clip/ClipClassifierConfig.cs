namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>What a classifier on CLIP's vision tower consists of.</summary>
internal sealed record ClipClassifierConfig
{
    public required ClipConfig Clip { get; init; }

    public required int Classes { get; init; }

    /// <summary>Whether each class has a bias.</summary>
    public bool Bias { get; init; }

    /// <summary>Whether each class is judged by itself (SigLIP's words), or among all.</summary>
    public bool Sigmoid { get; init; }

    /// <summary>The images that are remembered; null for none.</summary>
    public TipAdapterConfig? Examples { get; init; }
}
