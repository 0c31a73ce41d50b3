using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>What <c>mlContext.Transforms.ClipTextEmbedding</c> can be told.</summary>
public sealed class ClipTextEmbeddingOptions
{
    /// <summary>The published weights: a folder as Hugging Face publishes CLIP or SigLIP, or open_clip CLIP, or a file with OpenAI's names. Must be set.</summary>
    public string? Checkpoint { get; set; }

    /// <inheritdoc cref="ClipZeroShotOptions.Tokenizer"/>
    public string? Tokenizer { get; set; }

    /// <summary>The column of texts. What does not fit into the network's number of tokens (77) is cut off. Default "Text".</summary>
    public string TextColumnName { get; set; } = "Text";

    /// <summary>The column for the vector, of length 1. Default "Embedding".</summary>
    public string EmbeddingColumnName { get; set; } = "Embedding";

    /// <summary>Rows scored at once; at least 1. Default 64.</summary>
    public int ScoringBatchSize { get; set; } = 64;

    /// <summary>The numbers to score with. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision { get; set; } = Precision.Float32;

    /// <summary>"cpu", "cuda", "cuda:1" or "mps"; "auto", the default, takes a CUDA device where there is one, and else the CPU.</summary>
    public string Device { get; set; } = "auto";

    /// <exception cref="ArgumentException">A property's value cannot be used; the message names it.</exception>
    internal void Validate()
    {
        if (string.IsNullOrEmpty(Checkpoint))
            throw new ArgumentException($"{nameof(Checkpoint)} is not set; published weights are needed.", nameof(Checkpoint));
        OptionChecks.RequireName(TextColumnName, nameof(TextColumnName));
        OptionChecks.RequireName(EmbeddingColumnName, nameof(EmbeddingColumnName));
        OptionChecks.RequireDefined(Precision, nameof(Precision));
        TrainerOptions.Require(ScoringBatchSize, ScoringBatchSize >= 1, "at least 1");
    }

    internal ClipTextEmbeddingOptions Copy() => (ClipTextEmbeddingOptions)MemberwiseClone();
}
