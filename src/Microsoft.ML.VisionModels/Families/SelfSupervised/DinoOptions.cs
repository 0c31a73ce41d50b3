using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>What DINO can be told (arXiv 2104.14294). Defaults are those of facebookresearch/dino unless said otherwise.</summary>
public sealed class DinoOptions
{
    /// <summary>Small views of small parts of each image, beside the two large ones, at least 0. Default 4; the authors' is 8.</summary>
    [Choice(new object[] { 0, 2, 4, 6 }, 4)]
    public int LocalCrops { get; set; } = 4;

    /// <summary>
    /// Height and width of the small views in pixels, at most the image's; null, the default, takes half of the image's size, in whole
    /// patches. The authors have 96 for images of 224.
    /// </summary>
    public int? LocalCropSize { get; set; }

    /// <summary>The share of the image's area that divides small views, which show less, from large ones, which show more; above 0.05 and below 1. Default 0.4; the authors' is 0.25 for Vision Transformers.</summary>
    [Range(0.15, 0.5, 0.4)]
    public double CropDivision { get; set; } = 0.4;

    /// <summary>The number of prototypes that images are sorted among, at least 2. Default 1024; the authors have 65,536 for ImageNet.</summary>
    [Choice(new object[] { 256, 1024, 4096 }, 1024)]
    public int Prototypes { get; set; } = 1024;

    /// <summary>The width of the head's hidden layers, at least 1. Default 512; the authors have 2,048.</summary>
    public int HeadHiddenSize { get; set; } = 512;

    /// <summary>The width before the prototypes, at least 1. Default 256.</summary>
    public int BottleneckSize { get; set; } = 256;

    /// <summary>Linear layers before the prototypes, at least 1. Default 3.</summary>
    public int HeadLayers { get; set; } = 3;

    /// <summary>Batch norm within the head. Default false; for convolutional networks the authors set it.</summary>
    public bool HeadBatchNorm { get; set; }

    /// <summary>Prototypes keep a length of 1. Default true, which is steadier; the authors' small Vision Transformers learn the length.</summary>
    public bool NormalizePrototypes { get; set; } = true;

    /// <summary>What the student's answers are divided by, above 0. Default 0.1.</summary>
    public double StudentTemperature { get; set; } = 0.1;

    /// <summary>What the teacher's answers are divided by, above 0: the lower, the surer they are. Default 0.04; above 0.06 training may collapse.</summary>
    [Range(0.02, 0.07, 0.04)]
    public double TeacherTemperature { get; set; } = 0.04;

    /// <summary>The teacher's temperature at the beginning, above 0. Default 0.04.</summary>
    public double WarmupTeacherTemperature { get; set; } = 0.04;

    /// <summary>The epochs in which the teacher's temperature goes from the one to the other, at least 0. Default 0.</summary>
    public int TeacherTemperatureWarmupEpochs { get; set; }

    /// <summary>How much of itself the center keeps in a step, 0 to below 1. Default 0.9.</summary>
    public double CenterMomentum { get; set; } = 0.9;

    /// <summary>How much of its weights the teacher keeps in a step at the beginning, 0 to below 1; it grows to 1 along half a cosine. Default 0.99 for short trainings; the authors have 0.996.</summary>
    [Range(0.95, 0.999, 0.99)]
    public double TeacherMomentum { get; set; } = 0.99;

    /// <summary>The epochs in which the last layer does not learn, at least 0. Default 1.</summary>
    public int FrozenLastLayerEpochs { get; set; } = 1;

    /// <summary>
    /// The weight decay at the end, at least 0, to which it goes from <see cref="TrainerOptions.WeightDecay"/> along half a cosine. Null, the
    /// default, is 0.4 with <see cref="SslOptimizer.AdamW"/>, and else leaves it as it is.
    /// </summary>
    public double? FinalWeightDecay { get; set; }

    internal DinoOptions Copy() => (DinoOptions)MemberwiseClone();

    internal void Validate()
    {
        Check(LocalCrops, LocalCrops >= 0, "at least 0", nameof(LocalCrops));
        if (LocalCropSize is { } size)
            Check(size, size >= 1, "at least 1", nameof(LocalCropSize));
        Check(CropDivision, CropDivision is > 0.05 and < 1, "above 0.05 and below 1", nameof(CropDivision));
        Check(Prototypes, Prototypes >= 2, "at least 2", nameof(Prototypes));
        Check(HeadHiddenSize, HeadHiddenSize >= 1, "at least 1", nameof(HeadHiddenSize));
        Check(BottleneckSize, BottleneckSize >= 1, "at least 1", nameof(BottleneckSize));
        Check(HeadLayers, HeadLayers >= 1, "at least 1", nameof(HeadLayers));
        Check(StudentTemperature, StudentTemperature > 0, "above 0", nameof(StudentTemperature));
        Check(TeacherTemperature, TeacherTemperature > 0, "above 0", nameof(TeacherTemperature));
        Check(WarmupTeacherTemperature, WarmupTeacherTemperature > 0, "above 0", nameof(WarmupTeacherTemperature));
        Check(TeacherTemperatureWarmupEpochs, TeacherTemperatureWarmupEpochs >= 0, "at least 0", nameof(TeacherTemperatureWarmupEpochs));
        Check(CenterMomentum, CenterMomentum is >= 0 and < 1, "at least 0 and below 1", nameof(CenterMomentum));
        Check(TeacherMomentum, TeacherMomentum is >= 0 and < 1, "at least 0 and below 1", nameof(TeacherMomentum));
        Check(FrozenLastLayerEpochs, FrozenLastLayerEpochs >= 0, "at least 0", nameof(FrozenLastLayerEpochs));
        if (FinalWeightDecay is { } decay)
            Check(decay, decay >= 0 && double.IsFinite(decay), "at least 0", nameof(FinalWeightDecay));

        static void Check<T>(T value, bool holds, string range, string name) where T : System.Numerics.INumber<T> => OptionChecks.Require(value, holds, range, $"Dino.{name}");
    }
}
