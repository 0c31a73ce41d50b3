namespace Microsoft.ML.VisionModels.Layers;

/// <summary>The hyper-parameters of a stack of transformer blocks.</summary>
internal sealed record TransformerConfig
{
    public required int Width { get; init; }
    public required int Depth { get; init; }
    public required int Heads { get; init; }
    public required int MlpWidth { get; init; }

    public Activation Activation { get; init; } = Activation.Gelu;
    public double NormEps { get; init; } = 1e-6;
    public bool QkvBias { get; init; } = true;

    /// <summary>Scores are cosines times a learned factor a head, and keys have no bias (Swin V2, arXiv 2111.09883).</summary>
    public bool CosineAttention { get; init; }

    /// <summary>A token sees itself and those before it.</summary>
    public bool Causal { get; init; }

    /// <summary>Layer norm after each residual sum (as the first transformer and BERT), not before each branch (as ViT).</summary>
    public bool PostNorm { get; init; }

    /// <summary>The starting value of a learned scale per channel on each branch (arXiv 2103.17239), or null for none.</summary>
    public double? LayerScale { get; init; }

    /// <summary>Dropout on the outputs of attention and MLP.</summary>
    public double Dropout { get; init; }

    /// <summary>Dropout on the attention probabilities.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>Stochastic depth of the last block; it grows linearly from 0 at the first.</summary>
    public double DropPath { get; init; }

    public double DropPathOf(int layer) => Depth == 1 ? 0 : DropPath * layer / (Depth - 1);
}
