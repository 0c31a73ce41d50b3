using System.Text.Json.Serialization;
using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What <c>mlContext.Transforms.DiffusionTrainer</c> can be told: learning to make images of a kind, as they come, by class or by caption.
/// The fitted model makes images as one that was loaded does, from the column of captions or of classes. From random weights the U-Net
/// makes pixels, or latents of an <see cref="Autoencoder"/>; a <see cref="ScoringOptions.Checkpoint"/> is fine-tuned.
/// </summary>
public sealed class DiffusionTrainerOptions : TrainerOptions, IDiffusionColumns
{
    /// <summary>Options whose training goes on to its end, without rows held out: the loss of one epoch tells little about images. One image at a time is made, as by <see cref="DiffusionGeneratorOptions"/>.</summary>
    public DiffusionTrainerOptions() => (EarlyStoppingPatience, ValidationFraction, ScoringBatchSize) = (0, 0, 1);

    /// <summary>The column of texts that describe the images, and of prompts when images are made; null, the default, for none.</summary>
    [ScoringSetting]
    public string? CaptionColumnName { get; set; }

    /// <summary>The column of the images' classes, and of the classes that are wanted when images are made: a key, text, an integer or a Boolean. Null, the default, for none.</summary>
    [ScoringSetting]
    public string? LabelColumnName { get; set; }

    /// <inheritdoc cref="DiffusionGeneratorOptions.SeedColumnName"/>
    [ScoringSetting]
    public string? SeedColumnName { get; set; }

    /// <inheritdoc cref="DiffusionGeneratorOptions.GeneratedImageColumnName"/>
    [ScoringSetting]
    public string? GeneratedImageColumnName { get; set; } = "GeneratedImage";

    /// <inheritdoc cref="DiffusionGeneratorOptions.ParametersColumnName"/>
    [ScoringSetting]
    public string? ParametersColumnName { get; set; }

    /// <summary>How images are made of the fitted model, and for previews.</summary>
    [ScoringSetting]
    public DiffusionSamplingOptions Sampling { get; set; } = new() { GuidanceScale = 2 };

    /// <summary>Height and width of the images that are learned and made, in pixels; null takes the checkpoint's, or 32.</summary>
    public int? ImageSize { get; set; }

    /// <summary>Channels of the U-Net's first stage, a multiple of 8; later ones have two and four times as many. Default 32. A checkpoint brings its own.</summary>
    [Choice(new object[] { 32, 64, 96, 128 }, 32)]
    public int Channels { get; set; } = 32;

    /// <summary>Residual blocks of each stage on the way down, at least 1. Default 1.</summary>
    [Choice(new object[] { 1, 2 }, 1)]
    public int Blocks { get; set; } = 1;

    /// <summary>An autoencoder whose latents are learned (arXiv 2112.10752): a folder or weights file of diffusers' AutoencoderKL or AutoencoderTiny. Null, the default, learns pixels.</summary>
    public string? Autoencoder { get; set; }

    /// <summary>
    /// The rank of a LoRA (arXiv 2106.09685) that is trained on the attention of a <see cref="ScoringOptions.Checkpoint"/>'s U-Net, whose weights then
    /// stay as they are: at least 1; 4 to 64 are usual. <see cref="DiffusionTransformer.SaveLora"/> writes it. Null, the default, trains all weights of the U-Net.
    /// </summary>
    public int? LoraRank { get; set; }

    /// <summary>What the LoRA learns counts this divided by the rank times; above 0. Null, the default, takes the rank, so that it counts once.</summary>
    public double? LoraAlpha { get; set; }

    /// <summary>What the network learns to tell. Default <see cref="DiffusionPrediction.Velocity"/>; a checkpoint keeps its own.</summary>
    public DiffusionPrediction Prediction { get; set; } = DiffusionPrediction.Velocity;

    /// <summary>The signal-to-noise ratio above which a timestep counts no more than at it (min-SNR, arXiv 2303.09556), at least 0; 0 weighs all alike. Default 5.</summary>
    public double MinSnr { get; set; } = 5;

    /// <summary>How much noise is the same all over an image, so that it learns to be dark and bright as a whole; at least 0, the default. 0.1 is usual.</summary>
    public double OffsetNoise { get; set; }

    /// <summary>How often a caption or class is withheld, 0 to below 1, so that guidance has something to lead away from. Default 0.1.</summary>
    [Range(0.0, 0.3, 0.1)]
    public double ConditionDropout { get; set; } = 0.1;

    /// <summary>Mirror half of the images. Default false: left and right may matter, and captions may tell them.</summary>
    public bool HorizontalFlip { get; set; }

    /// <inheritdoc cref="DiffusionGeneratorOptions.Tokenizer"/>
    public string? Tokenizer { get; set; }

    /// <summary>The most tokens that a vocabulary which is learned from the captions has, 514 at least. Default 1,000.</summary>
    public int VocabularySize { get; set; } = 1000;

    /// <summary>Captions or classes of which previews are made; for a model of neither, texts that play no part.</summary>
    public IReadOnlyList<string> PreviewRows { get; set; } = [];

    /// <summary>The epochs between two previews, at least 1. Default 1.</summary>
    public int PreviewEpochs { get; set; } = 1;

    /// <summary>Told of previews, after an epoch. What it makes takes time of the training.</summary>
    [JsonIgnore]
    public IProgress<DiffusionPreview>? Previews { get; set; }

    string? IDiffusionColumns.PromptColumnName => CaptionColumnName;

    string? IDiffusionColumns.ClassColumnName => LabelColumnName;

    internal override IEnumerable<InputColumn> Inputs => [.. base.Inputs, .. ((IDiffusionColumns)this).Reads.Where(column => column.Name != SeedColumnName)];

    internal override IEnumerable<string?> OutputNames => ((IDiffusionColumns)this).Adds;

    internal override IEnumerable<SchemaShape.Column> Outputs(SchemaShape input) => ((IDiffusionColumns)this).Promises;

    private protected override IEnumerable<string> NoPartInLearning => [.. base.NoPartInLearning, nameof(PreviewEpochs)];

    private protected override RecipeDefaults Defaults => Checkpoint is null ? new() { EmaDecay = 0.998 } : new() { LearningRate = LoraRank is null ? 1e-5 : 1e-4 };

    internal override ScoringOptions Copy()
    {
        var copy = (DiffusionTrainerOptions)base.Copy();
        copy.Sampling = Sampling.Copy();
        return copy;
    }

    internal override void Validate()
    {
        base.Validate();
        Sampling.Validate();
        OptionChecks.RequireAtLeast(ImageSize, 1);
        OptionChecks.Require(Channels, Channels >= 8 && Channels % 8 == 0, "a multiple of 8");
        OptionChecks.Require(Blocks, Blocks >= 1, "at least 1");
        OptionChecks.RequireDefined(Prediction, nameof(Prediction));
        OptionChecks.Require(MinSnr, MinSnr >= 0 && double.IsFinite(MinSnr), "at least 0 (all timesteps count alike)");
        OptionChecks.Require(OffsetNoise, OffsetNoise >= 0 && double.IsFinite(OffsetNoise), "at least 0");
        OptionChecks.Require(ConditionDropout, ConditionDropout is >= 0 and < 1, "at least 0 and below 1");
        OptionChecks.Require(VocabularySize, VocabularySize >= Families.Clip.ClipVocabulary.SmallestSize, $"at least {Families.Clip.ClipVocabulary.SmallestSize}");
        OptionChecks.Require(PreviewEpochs, PreviewEpochs >= 1, "at least 1");
        if (CaptionColumnName is not null && LabelColumnName is not null)
            throw new ArgumentException($"Both {nameof(CaptionColumnName)} and {nameof(LabelColumnName)} are set; a model learns from captions or from classes.", nameof(LabelColumnName));
        OptionChecks.RequireAtLeast(LoraRank, 1);
        if (LoraAlpha is { } alpha)
            OptionChecks.Require(alpha, alpha > 0 && double.IsFinite(alpha), "above 0", nameof(LoraAlpha));
        if (Checkpoint is null && LoraRank is not null)
            throw new ArgumentException($"{nameof(LoraRank)} is set, but no {nameof(Checkpoint)}: a LoRA is learned beside the weights of one.", nameof(LoraRank));
        if (LoraRank is null && LoraAlpha is not null)
            throw new ArgumentException($"{nameof(LoraAlpha)} is set, but no {nameof(LoraRank)}.", nameof(LoraAlpha));
        if (Preprocessing is not null && !IsFromMinusOneToOne(Preprocessing))
            throw new ArgumentException($"{nameof(Preprocessing)} must bring colors to -1 to 1, in which images are learned and made; set its Normalization to {nameof(ImageNormalization)}.{nameof(ImageNormalization.Half)}, and leave RescaleFactor, ChannelOrder and MeanImage.", nameof(Preprocessing));
        if (Checkpoint is not null && Autoencoder is not null)
            throw new ArgumentException($"{nameof(Autoencoder)} is set beside {nameof(Checkpoint)}, which brings its own.", nameof(Autoencoder));
    }

    /// <summary>Whether black becomes -1 and white 1, in all channels, red first.</summary>
    private static bool IsFromMinusOneToOne(ImagePreprocessing preprocessing)
    {
        var white = 255 * preprocessing.RescaleFactor;
        return preprocessing is { ChannelOrder: ChannelOrder.Rgb, MeanImage: null, Normalization: var (mean, std) }
            && new[] { (mean.Red, std.Red), (mean.Green, std.Green), (mean.Blue, std.Blue) }.All(one => Is(-1, -one.Item1 / one.Item2) && Is(1, (white - one.Item1) / one.Item2));

        static bool Is(double expected, double value) => Math.Abs(value - expected) < 1e-3;
    }
}
