using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What training needs to know of a family's network with a classification head.</summary>
internal abstract class TrainableClassifierModel : ClassifierModel
{
    /// <summary>Whether training computes blocks twice to save memory; see <see cref="Layers.GradientCheckpointing"/>.</summary>
    public abstract bool GradientCheckpointing { get; set; }

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
