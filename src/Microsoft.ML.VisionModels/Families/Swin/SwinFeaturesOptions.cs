using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>What <c>mlContext.Transforms.SwinFeatures</c> can be told.</summary>
public sealed class SwinFeaturesOptions : ImageFeaturizerOptions
{
    /// <summary>What a weights file without a config.json was trained as; default <see cref="SwinPreset.Tiny"/>. A Hugging Face folder tells by itself.</summary>
    public SwinPreset Preset { get; set; } = SwinPreset.Tiny;

    /// <summary>Height and width of the network's input in pixels; null takes the checkpoint's.</summary>
    public int? ImageSize { get; set; }

    /// <summary>Height and width of an attention window in tokens; null takes the checkpoint's, whose position biases are resampled for another size.</summary>
    public int? WindowSize { get; set; }

    /// <summary>
    /// The column for the first stage's feature map, a vector of channels x rows x columns; null, the default, does not make it.
    /// A backbone's maps have its norms; those of other checkpoints are the stage's output as it is, before patches are merged.
    /// </summary>
    [ScoringSetting]
    public string? Stage1ColumnName { get; set; }

    /// <summary>The column for the second stage's feature map, with twice the channels and half the rows and columns of the first; null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? Stage2ColumnName { get; set; }

    /// <summary>The column for the third stage's feature map; null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? Stage3ColumnName { get; set; }

    /// <summary>The column for the fourth stage's feature map; null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? Stage4ColumnName { get; set; }

    internal override IEnumerable<(string Feature, string? Column)> Features =>
        [.. base.Features, ("Stage1", Stage1ColumnName), ("Stage2", Stage2ColumnName), ("Stage3", Stage3ColumnName), ("Stage4", Stage4ColumnName)];

    internal override void Validate()
    {
        base.Validate();
        OptionChecks.RequireDefined(Preset, nameof(Preset));
        OptionChecks.RequireAtLeast(ImageSize, 1);
        OptionChecks.RequireAtLeast(WindowSize, 1);
    }
}
