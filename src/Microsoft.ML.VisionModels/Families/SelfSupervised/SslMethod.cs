namespace Microsoft.ML.VisionModels;

/// <summary>How <c>mlContext.Transforms.SslFeaturizer</c> learns from images without labels.</summary>
public enum SslMethod
{
    /// <summary>Nothing is learned: the features are those of a published network.</summary>
    None,

    /// <summary>SimCLR (arXiv 2002.05709): two views of an image shall be more alike than views of two images. Wants large batches, which hold what an image is told from.</summary>
    SimClr,

    /// <summary>BYOL (arXiv 2006.07733): a network predicts what its own moving average makes of another view. Needs no images to tell from.</summary>
    Byol,

    /// <summary>DINO (arXiv 2104.14294): a student that sees small parts too learns the answers of a teacher. Made for Vision Transformers.</summary>
    Dino,

    /// <summary>Masked autoencoders (arXiv 2111.06377): a Vision Transformer guesses what three quarters of the image show. Its features want fine-tuning.</summary>
    Mae,
}
