using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What scoring needs to know of a network that tells classes apart.</summary>
internal abstract class ClassifierModel : NetworkModel
{
    /// <summary>The length of the feature vector.</summary>
    public abstract int EmbeddingSize { get; }

    /// <summary>The size of the map of where the answer comes from, rows x columns.</summary>
    public abstract ImageSize AttentionSize { get; }

    /// <param name="pixels">[B, 3, H, W], preprocessed, on the network's device and of its type.</param>
    /// <param name="embedding">Whether the feature vectors are wanted.</param>
    /// <param name="attention">Whether the maps of where the answers come from are wanted.</param>
    public abstract ClassifierOutput Forward(Tensor pixels, bool embedding = false, bool attention = false);

    /// <summary>The score of each class, between 0 and 1, from logits [B, classes].</summary>
    public virtual Tensor Probabilities(Tensor logits) => logits.softmax(1);
}
