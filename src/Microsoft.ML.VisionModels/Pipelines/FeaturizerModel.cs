using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What scoring needs to know of a family's network that tells features.</summary>
internal abstract class FeaturizerModel : NetworkModel
{
    /// <summary>The name of the one vector that stands for an image.</summary>
    public const string Embedding = "Embedding";

    /// <summary>All that the network can tell, in the order of the output columns.</summary>
    public abstract IReadOnlyList<ImageFeature> Features { get; }

    /// <param name="pixels">[B, 3, H, W], preprocessed, on the network's device and of its type.</param>
    /// <param name="wanted">Names of <see cref="Features"/>.</param>
    /// <returns>For each of these [B, its shape].</returns>
    public abstract IReadOnlyDictionary<string, Tensor> Forward(Tensor pixels, IReadOnlySet<string> wanted);
}
