using Microsoft.ML.VisionModels;

namespace Microsoft.ML;

/// <summary>What the package adds to <see cref="MLContext"/>.</summary>
public static class VisionCatalogExtensions
{
    /// <summary>What Microsoft.ML.VisionModels offers besides transforms: sweeps, and what can be done with embeddings.</summary>
    public static VisionCatalog Vision(this MLContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new(context);
    }
}
