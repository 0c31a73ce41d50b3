namespace Microsoft.ML.VisionModels;

/// <summary>An image that SAM has looked at, ready for any number of prompts. Takes 4 MB; needs not be disposed of.</summary>
public sealed class SamImage
{
    internal SamImage(ImageSize size, ImageSize resized, float[] embedding) => (Size, Resized, Embedding) = (size, resized, embedding);

    /// <summary>The image's size.</summary>
    public ImageSize Size { get; }

    /// <summary>The size in which the network saw it, without what it was padded with.</summary>
    internal ImageSize Resized { get; }

    /// <summary>[C, H, W].</summary>
    internal float[] Embedding { get; }

    internal long Bytes => sizeof(float) * (long)Embedding.Length;
}
