using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What <c>mlContext.Transforms.DiffusionGenerator</c> can be told. <see cref="ScoringOptions.Checkpoint"/> is a folder as Hugging Face's
/// diffusers publish it, with <c>model_index.json</c>, or a single file of CompVis' names.
/// </summary>
public sealed class DiffusionGeneratorOptions : ScoringOptions, IDiffusionColumns
{
    /// <summary>
    /// Options of one image at a time: on a CPU several together are no faster, and sums of other lengths end in other last digits, which may
    /// make a pixel one step brighter. Set <see cref="ScoringOptions.ScoringBatchSize"/> higher on a GPU.
    /// </summary>
    public DiffusionGeneratorOptions() => ScoringBatchSize = 1;

    /// <summary>The folder of the tokenizer (<c>vocab.json</c> and <c>merges.txt</c>); null, the default, takes the checkpoint's. Single files have none.</summary>
    public string? Tokenizer { get; set; }

    /// <summary>LoRAs that are merged into the checkpoint's networks when it is loaded, several at once. Empty, the default, for none. To be without one again, fit without it.</summary>
    public IReadOnlyList<DiffusionLora> Loras { get; set; } = [];

    /// <summary>Words that were learned from images (textual inversion, arXiv 2208.01618), for prompts to use. Empty, the default, for none.</summary>
    public IReadOnlyList<DiffusionEmbedding> Embeddings { get; set; } = [];

    /// <summary>The column of prompts, text; null for models that know no words. Default "Prompt". What is too long for the text encoder (77 tokens) is cut off.</summary>
    [ScoringSetting]
    public string? PromptColumnName { get; set; } = "Prompt";

    /// <summary>The column of texts that say what is not wanted; null, the default, for none.</summary>
    [ScoringSetting]
    public string? NegativePromptColumnName { get; set; }

    /// <summary>
    /// The column of classes, for models of classes: a key, text, an integer or a Boolean, as a label. Null, the default, for none. Of a published
    /// model, whose classes have numbers from 0, it holds these numbers, or keys: their values where they have some, and without values the
    /// first key is class 0, as ML.NET's loaders read it.
    /// </summary>
    [ScoringSetting]
    public string? ClassColumnName { get; set; }

    /// <summary>The column of seeds, whole numbers; null, the default, gives all rows <see cref="DiffusionSamplingOptions.Seed"/>.</summary>
    [ScoringSetting]
    public string? SeedColumnName { get; set; }

    /// <summary>The column of images to begin with (MLImage, paths or bytes); null, the default, begins with noise. They are resized to the size that is made.</summary>
    [ScoringSetting]
    public string? InitialImageColumnName { get; set; }

    /// <summary>The column of masks of these images' size: what is brighter than half is painted, and what is dark stays. Null, the default, paints all.</summary>
    [ScoringSetting]
    public string? MaskColumnName { get; set; }

    /// <summary>The column for the image (MLImage), whose Tag says how it was made; null does not make it. Default "GeneratedImage".</summary>
    [ScoringSetting]
    public string? GeneratedImageColumnName { get; set; } = "GeneratedImage";

    /// <summary>The column for how the image was made (prompt, seed, scheduler, steps, model), JSON text; null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? ParametersColumnName { get; set; }

    /// <summary>How images are made.</summary>
    [ScoringSetting]
    public DiffusionSamplingOptions Sampling { get; set; } = new();

    internal override IEnumerable<InputColumn> Inputs => ((IDiffusionColumns)this).Reads;

    internal override IEnumerable<string?> OutputNames => ((IDiffusionColumns)this).Adds;

    internal override IEnumerable<SchemaShape.Column> Outputs(SchemaShape input) => ((IDiffusionColumns)this).Promises;

    internal override ScoringOptions Copy()
    {
        var copy = (DiffusionGeneratorOptions)base.Copy();
        copy.Sampling = Sampling.Copy();
        return copy;
    }

    internal override void Validate()
    {
        base.Validate();
        RequireCheckpoint();
        Sampling.Validate();
        foreach (var lora in Loras)
            OptionChecks.Require(lora.Weight, double.IsFinite(lora.Weight), "a number", "Loras.Weight");
        foreach (var embedding in Embeddings)
        {
            if (string.IsNullOrEmpty(embedding.Path) || embedding.Token is not null && string.IsNullOrWhiteSpace(embedding.Token))
                throw new ArgumentException($"{nameof(Embeddings)} has a word without a {(string.IsNullOrEmpty(embedding.Path) ? nameof(embedding.Path) : nameof(embedding.Token))}.", nameof(Embeddings));
        }
        if (MaskColumnName is not null && InitialImageColumnName is null)
            throw new ArgumentException($"{nameof(MaskColumnName)} is set, but no {nameof(InitialImageColumnName)}: a mask says what of an image is painted.", nameof(MaskColumnName));
    }
}
