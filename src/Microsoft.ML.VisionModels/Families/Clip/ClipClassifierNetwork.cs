using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>
/// CLIP's vision tower with a linear head on its vectors: the texts' vectors times the temperature where classes are told by words,
/// learned weights where they are told by examples.
/// </summary>
internal sealed class ClipClassifierNetwork : nn.Module, INetwork<ClipClassifierConfig, ClipClassifierNetwork>, IClassifierNetwork
{
    private readonly ClipVisionNetwork vision;
    private readonly Linear head;
    private readonly TipAdapter? examples;

    /// <param name="clip">Whose vision tower this is.</param>
    /// <param name="vision">The tower, which becomes the network's, as the other parts do.</param>
    /// <param name="head">From vectors to logits.</param>
    /// <param name="sigmoid">Whether each class is judged by itself.</param>
    /// <param name="examples">Remembered images, or none.</param>
    public ClipClassifierNetwork(ClipConfig clip, ClipVisionNetwork vision, Linear head, bool sigmoid, TipAdapter? examples = null) : base(nameof(ClipClassifierNetwork))
    {
        Config = new()
        {
            Clip = clip,
            Classes = (int)head.weight.shape[0],
            Bias = head.bias is not null,
            Sigmoid = sigmoid,
            Examples = examples?.Config,
        };
        (this.vision, this.head, this.examples) = (vision, head, examples);
        RegisterComponents();
    }

    public ClipClassifierConfig Config { get; }

    /// <summary>Builds a network without values, into which saved ones are loaded.</summary>
    public static ClipClassifierNetwork Create(ClipClassifierConfig config, Generator? generator = null)
    {
        HyperParameters.Check(config);
        return new(config.Clip, new(config.Clip), new(config.Clip.EmbeddingSize, config.Classes, config.Bias), config.Sigmoid, config.Examples is { } examples ? new(examples) : null);
    }

    /// <summary>Vectors of length 1, [B, E], of normalized images [B, C, H, W].</summary>
    public Tensor Embed(Tensor pixels) => ClipNetwork.Normalize(vision.forward(pixels));

    /// <summary>Logits [B, classes] of vectors of length 1, [B, E].</summary>
    public Tensor Logits(Tensor embeddings)
    {
        // In 32 bits as the vectors are: see Normalize.
        var logits = nn.functional.linear(embeddings, head.weight.to(embeddings.dtype), head.bias?.to(embeddings.dtype));
        return examples is null ? logits : logits.Add(examples.forward(embeddings));
    }

    public int EmbeddingSize => Config.Clip.EmbeddingSize;

    public ImageSize AttentionSize => Config.Clip.Vision.Grid;

    public ClassifierOutput Classify(Tensor pixels, bool embedding = false, bool attention = false)
    {
        var vectors = Embed(pixels);
        return new(Logits(vectors), embedding ? vectors : null, null);
    }

    public Tensor Probabilities(Tensor logits) => Config.Sigmoid ? logits.sigmoid() : logits.softmax(1);
}

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
