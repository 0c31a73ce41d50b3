namespace Microsoft.ML.VisionModels;

/// <summary>The published sizes of the Segment Anything Model.</summary>
public enum SamPreset
{
    /// <summary>MobileSAM: a TinyViT encoder of 6 million weights with SAM's own decoder (arXiv 2306.14289).</summary>
    Mobile,

    /// <summary>SAM with ViT-B: 94 million weights (arXiv 2304.02643).</summary>
    Base,

    /// <summary>SAM with ViT-L: 312 million weights.</summary>
    Large,

    /// <summary>SAM with ViT-H: 641 million weights.</summary>
    Huge,
}
