using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>What SimCLR can be told (arXiv 2002.05709).</summary>
public sealed class SimClrOptions
{
    /// <summary>What cosines are divided by, above 0: the lower, the more count the images that are most alike. Default 0.2; the paper has 0.5 for CIFAR-10 and 0.1 for ImageNet.</summary>
    [Range(0.05, 1.0, 0.2, true)]
    public double Temperature { get; set; } = 0.2;

    /// <summary>The width of the projector's hidden layer, at least 1. Default 512.</summary>
    public int HiddenSize { get; set; } = 512;

    /// <summary>The width of the space in which views are compared, at least 1. Default 128, the paper's.</summary>
    [Choice(new object[] { 64, 128, 256 }, 128)]
    public int ProjectionSize { get; set; } = 128;

    internal SimClrOptions Copy() => (SimClrOptions)MemberwiseClone();

    internal void Validate()
    {
        OptionChecks.Require(Temperature, Temperature > 0 && double.IsFinite(Temperature), "above 0", "SimClr.Temperature");
        OptionChecks.Require(HiddenSize, HiddenSize >= 1, "at least 1", "SimClr.HiddenSize");
        OptionChecks.Require(ProjectionSize, ProjectionSize >= 1, "at least 1", "SimClr.ProjectionSize");
    }
}
