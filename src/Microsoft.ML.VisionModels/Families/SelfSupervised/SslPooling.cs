namespace Microsoft.ML.VisionModels;

/// <summary>What of a Vision Transformer's tokens makes an image's feature vector.</summary>
public enum SslPooling
{
    /// <summary>The class token.</summary>
    Class,

    /// <summary>The mean of the patch tokens.</summary>
    Mean,

    /// <summary>The class token and, after it, the mean of the patch tokens: twice as long, as DINOv2's classifiers read them.</summary>
    ClassAndMean,
}
