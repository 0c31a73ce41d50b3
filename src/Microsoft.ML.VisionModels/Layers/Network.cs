using Microsoft.ML.VisionModels.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>A network that tells classes apart.</summary>
internal interface IClassifierNetwork
{
    /// <summary>The length of the feature vector.</summary>
    int EmbeddingSize { get; }

    /// <summary>The size of the map of where the answer comes from, rows x columns.</summary>
    ImageSize AttentionSize { get; }

    /// <param name="pixels">[B, 3, H, W], preprocessed, on the network's device and of its type.</param>
    /// <param name="embedding">Whether the feature vectors are wanted.</param>
    /// <param name="attention">Whether the maps of where the answers come from are wanted.</param>
    ClassifierOutput Classify(Tensor pixels, bool embedding = false, bool attention = false);

    /// <summary>The score of each class, between 0 and 1, from logits [B, classes].</summary>
    Tensor Probabilities(Tensor logits) => logits.softmax(1);
}

/// <summary>What a classifier gives for a batch.</summary>
/// <param name="Logits">[B, classes].</param>
/// <param name="Embedding">[B, features], where asked for.</param>
/// <param name="Attention">Where the answers come from, [B, rows, columns], the largest value of each map 1; where asked for.</param>
internal sealed record ClassifierOutput(Tensor Logits, Tensor? Embedding, Tensor? Attention);

/// <summary>What training needs to know of a classifier, by its parameters' names, as timm's networks tell it.</summary>
internal interface ITrainableClassifier : IClassifierNetwork, ITrainableNetwork
{
    /// <summary>The number of blocks.</summary>
    int Depth { get; }

    /// <summary>Whether a parameter belongs to the head.</summary>
    bool IsHead(string parameter);

    /// <summary>Where a parameter stands: 0 for the embeddings, i + 1 for block i, <see cref="Depth"/> + 1 for what follows the blocks.</summary>
    int LayerOf(string parameter);

    /// <summary>Whether weight decay spares a parameter though it is no vector: tokens, position embeddings.</summary>
    bool IsSparedFromDecay(string parameter);
}

/// <summary>A network that tells features of images.</summary>
internal interface IFeatureNetwork
{
    /// <summary>The name of the one vector that stands for an image.</summary>
    const string Embedding = "Embedding";

    /// <summary>The name of the map of features, [D, rows, columns], that comes last, normalized as what the embedding is made of.</summary>
    const string FeatureMap = "FeatureMap";

    /// <summary>The name of the maps of where the class token looks in the last block, [heads, rows, columns].</summary>
    const string AttentionMaps = "AttentionMaps";

    /// <summary>All that the network can tell, in the order of the output columns.</summary>
    IReadOnlyList<ImageFeature> Features { get; }

    /// <param name="pixels">[B, 3, H, W], preprocessed, on the network's device and of its type.</param>
    /// <param name="wanted">Names of <see cref="Features"/>.</param>
    /// <returns>For each of these [B, its shape].</returns>
    IReadOnlyDictionary<string, Tensor> Describe(Tensor pixels, IReadOnlySet<string> wanted);
}

/// <summary>Something that a network tells of an image.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Shape">Its dimensions, the same for every image.</param>
internal sealed record ImageFeature(string Name, int[] Shape);

/// <summary>A layer that may choose another way to compute once its weights stay as they are.</summary>
internal interface IScoringLayer
{
    /// <summary>Called once, after the weights have come to their device and type.</summary>
    void MakeReadyToScore();
}
