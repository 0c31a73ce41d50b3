using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>What everything that scores images with published weights can be told.</summary>
public abstract class ImageScoringOptions
{
    /// <summary>The published weights: a Hugging Face folder, or a weights file (.safetensors, .pt, .pth, .bin). Must be set.</summary>
    public string? Checkpoint { get; set; }

    /// <summary>The column of images: <see cref="MLImage"/>, or text with file paths. Default "Image".</summary>
    public string ImageColumnName { get; set; } = "Image";

    /// <summary>How images become the network's input; null takes the checkpoint's own, or else resizes to the network's size and scales to -1 to 1.</summary>
    public ImagePreprocessing? Preprocessing { get; set; }

    /// <summary>Rows scored at once; at least 1. Default 16: on a CPU larger batches are no faster.</summary>
    public int ScoringBatchSize { get; set; } = 16;

    /// <summary>The numbers to score with. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision { get; set; } = Precision.Float32;

    /// <summary>Give missing values (NaN) for images that cannot be read. Default false: such an image is an <see cref="ImageDecodeException"/>.</summary>
    public bool SkipInvalidImages { get; set; }

    /// <summary>"cpu", "cuda", "cuda:1" or "mps"; "auto", the default, takes a CUDA device where there is one, and else the CPU.</summary>
    public string Device { get; set; } = "auto";

    /// <exception cref="ArgumentException">A property's value cannot be used; the message names it.</exception>
    internal virtual void Validate()
    {
        if (string.IsNullOrEmpty(Checkpoint))
            throw new ArgumentException($"{nameof(Checkpoint)} is not set; published weights are needed.", nameof(Checkpoint));
        OptionChecks.RequireName(ImageColumnName, nameof(ImageColumnName));
        OptionChecks.RequireDefined(Precision, nameof(Precision));
        TrainerOptions.Require(ScoringBatchSize, ScoringBatchSize >= 1, "at least 1");
    }
}
