using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What training and scoring need to know of a family's network with a classification head.</summary>
internal abstract class ClassifierModel : NetworkModel
{
    /// <summary>The length of the feature vector.</summary>
    public abstract int EmbeddingSize { get; }

    /// <summary>The size of the map of where the answer comes from, rows x columns.</summary>
    public abstract ImageSize AttentionSize { get; }

    /// <summary>Whether training computes blocks twice to save memory; see <see cref="Layers.GradientCheckpointing"/>.</summary>
    public abstract bool GradientCheckpointing { get; set; }

    /// <param name="pixels">[B, 3, H, W], preprocessed, on the network's device and of its type.</param>
    /// <param name="embedding">Whether the feature vectors are wanted.</param>
    /// <param name="attention">Whether the maps of where the answers come from are wanted.</param>
    public abstract ClassifierOutput Forward(Tensor pixels, bool embedding = false, bool attention = false);

    /// <summary>Whether a parameter belongs to the head, by its name.</summary>
    public abstract bool IsHead(string parameter);

    /// <summary>The number of blocks.</summary>
    public abstract int Depth { get; }

    /// <summary>Where a parameter stands, by its name: 0 for the embeddings, i + 1 for block i, <see cref="Depth"/> + 1 for what follows the blocks.</summary>
    public abstract int LayerOf(string parameter);

    /// <summary>Whether weight decay spares a parameter though it is no vector: tokens, position embeddings.</summary>
    public abstract bool IsSparedFromDecay(string parameter);

    /// <summary>Writes config.json and model.safetensors as the family's publisher lays them out.</summary>
    public abstract void SaveCheckpoint(string folder, IReadOnlyList<string> labels);

    public void Freeze(TrainedParts trained, int lastBlocks)
    {
        foreach (var (name, parameter) in Network.named_parameters())
        {
            parameter.requires_grad = trained switch
            {
                TrainedParts.None => false,
                TrainedParts.Head => IsHead(name),
                TrainedParts.LastBlocks => LayerOf(name) > Depth - lastBlocks,
                _ => true,
            };
        }
    }
}
