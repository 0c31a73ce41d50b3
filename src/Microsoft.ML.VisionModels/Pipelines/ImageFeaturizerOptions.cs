using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels;

/// <summary>What every featurizer of pictures can be told.</summary>
public abstract class ImageFeaturizerOptions
{
    /// <summary>The published weights: a Hugging Face folder, or a weights file (.safetensors, .pt, .pth, .bin). Must be set.</summary>
    public string? Checkpoint { get; set; }

    /// <summary>The column of pictures: <see cref="MLImage"/>, or text with file paths. Default "Image".</summary>
    public string ImageColumnName { get; set; } = "Image";

    /// <summary>The column for the network's feature vector; null does not make it. Default "Embedding".</summary>
    public string? EmbeddingColumnName { get; set; } = FeaturizerModel.Embedding;

    /// <summary>How pictures become the network's input; null takes the checkpoint's own, or else resizes to the network's size and scales to -1 to 1.</summary>
    public ImagePreprocessing? Preprocessing { get; set; }

    /// <summary>Rows scored at once; at least 1. Default 16: on a CPU larger batches are no faster.</summary>
    public int ScoringBatchSize { get; set; } = 16;

    /// <summary>The numbers to score with. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision { get; set; } = Precision.Float32;

    /// <summary>Give missing values (NaN) for pictures that cannot be read. Default false: such a picture is an <see cref="ImageDecodeException"/>.</summary>
    public bool SkipInvalidImages { get; set; }

    /// <summary>"cpu", "cuda", "cuda:1" or "mps"; "auto", the default, takes a CUDA device where there is one, and else the CPU.</summary>
    public string Device { get; set; } = "auto";

    /// <summary>The features that there may be, and the columns for them; null for one that is not made.</summary>
    internal virtual IEnumerable<(string Feature, string? Column)> Columns => [(FeaturizerModel.Embedding, EmbeddingColumnName)];

    /// <exception cref="ArgumentException">A property's value cannot be used; the message names it.</exception>
    internal virtual void Validate()
    {
        if (string.IsNullOrEmpty(Checkpoint))
            throw new ArgumentException($"{nameof(Checkpoint)} is not set; features come from published weights.", nameof(Checkpoint));
        OptionChecks.RequireName(ImageColumnName, nameof(ImageColumnName));
        OptionChecks.RequireDefined(Precision, nameof(Precision));
        TrainerOptions.Require(ScoringBatchSize, ScoringBatchSize >= 1, "at least 1");
        foreach (var (feature, column) in Columns.Where(column => column.Column is not null))
            OptionChecks.RequireName(column, $"{feature}ColumnName");
        if (Columns.All(column => column.Column is null))
            throw new ArgumentException($"No output column has a name; {nameof(EmbeddingColumnName)} is the usual one.");
        OptionChecks.RequireDistinct(Columns.Select(column => column.Column));
    }

    internal ImageFeaturizerOptions Copy() => (ImageFeaturizerOptions)MemberwiseClone();

    internal FeaturizerSettings Settings() => new(
        ImageColumnName, Columns.Where(column => column.Column is not null).ToDictionary(column => column.Feature, column => column.Column!),
        ScoringBatchSize, Precision, SkipInvalidImages);
}
