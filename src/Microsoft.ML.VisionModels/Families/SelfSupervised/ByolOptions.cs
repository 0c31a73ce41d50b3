using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>What BYOL can be told (arXiv 2006.07733), and SimSiam (arXiv 2011.10566), which has no target network.</summary>
public sealed class ByolOptions
{
    /// <summary>Whether a target network follows the learning one; without it this is SimSiam. Default true.</summary>
    public bool UseTarget { get; set; } = true;

    /// <summary>
    /// How much of its weights the target keeps in a step at the beginning, 0 to below 1; it grows to 1 along half a cosine. Default 0.98
    /// for short trainings; the paper has 0.996 for 1,000 epochs of ImageNet.
    /// </summary>
    [Range(0.9, 0.999, 0.98)]
    public double TargetMomentum { get; set; } = 0.98;

    /// <summary>The width of the hidden layers of projector and predictor, at least 1. Default 512; the paper has 4,096.</summary>
    [Choice(new object[] { 256, 512, 1024 }, 512)]
    public int HiddenSize { get; set; } = 512;

    /// <summary>The width of the space in which is predicted, at least 1. Default 128; the paper has 256.</summary>
    [Choice(new object[] { 64, 128, 256 }, 128)]
    public int ProjectionSize { get; set; } = 128;

    internal ByolOptions Copy() => (ByolOptions)MemberwiseClone();

    internal void Validate()
    {
        OptionChecks.Require(TargetMomentum, TargetMomentum is >= 0 and < 1, "at least 0 and below 1", "Byol.TargetMomentum");
        OptionChecks.Require(HiddenSize, HiddenSize >= 1, "at least 1", "Byol.HiddenSize");
        OptionChecks.Require(ProjectionSize, ProjectionSize >= 1, "at least 1", "Byol.ProjectionSize");
    }
}
