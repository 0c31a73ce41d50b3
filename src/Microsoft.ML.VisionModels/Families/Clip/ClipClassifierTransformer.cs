using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// A classifier on CLIP's vision tower, by words or by a few examples: adds the classes' probabilities, the likeliest class, and on
/// request the image's vector of length 1. The text tower has done its work and is not in it.
/// </summary>
public sealed class ClipClassifierTransformer : ClassifierTransformer
{
    internal ClipClassifierTransformer(IHostEnvironment environment, ClassifierParts parts)
        : base(environment, nameof(ClipClassifierTransformer), parts)
    {
    }

    // Found by its signature when a model is loaded.
    internal ClipClassifierTransformer(IHostEnvironment environment, ModelArchiveReader archive)
        : base(environment, nameof(ClipClassifierTransformer), archive, ClipClassifierModel.FromConfig)
    {
    }
}
