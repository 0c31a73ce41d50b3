namespace Microsoft.ML.VisionModels;

/// <summary>
/// What this package offers besides transforms. Created by <c>mlContext.Vision()</c>; each floor of the package adds its methods in the
/// namespace Microsoft.ML.
/// </summary>
public sealed class VisionCatalog
{
    internal VisionCatalog(MLContext context) => Context = context;

    /// <summary>The context that it was made of.</summary>
    internal MLContext Context { get; }
}
