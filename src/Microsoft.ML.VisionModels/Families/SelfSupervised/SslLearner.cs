using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>
/// A method of learning from images without labels: everything that learns or is carried from step to step, as one module. So a
/// snapshot of its tensors is a snapshot of the whole training, teacher and center included.
/// </summary>
internal abstract class SslLearner(string name) : nn.Module(name)
{
    /// <summary>The network that is kept when the training is over.</summary>
    public abstract nn.Module Kept { get; }

    /// <summary>The network that learns by gradients, and the name that its parameters begin with.</summary>
    public virtual (ITrainableClassifier Network, string Prefix) Learns => ((ITrainableClassifier)Kept, "backbone.");

    /// <summary>Draws every weight that is not the backbone's.</summary>
    public abstract void DrawHeads(Generator generator);

    /// <summary>The loss of a batch, a scalar.</summary>
    public abstract Tensor Loss(SslViews views);

    /// <summary>Called before an epoch's first step.</summary>
    public virtual void StartEpoch(int epoch)
    {
    }

    /// <summary>Called when the gradients of a step are complete.</summary>
    public virtual void AfterGradients(int epoch)
    {
    }

    /// <summary>Called after each change of the weights, without gradients.</summary>
    public virtual void AfterStep(long step, long totalSteps)
    {
    }
}

/// <summary>Views of a batch of images, normalized.</summary>
/// <param name="Whole">[B, V, 3, H, W]: the views of the images' full size.</param>
/// <param name="Local">[B, L, 3, h, w]: smaller views of small parts; null where a method has none.</param>
internal sealed record SslViews(Tensor Whole, Tensor? Local = null)
{
    /// <summary>The full-size views, those of one kind after those of another, [V B, 3, H, W].</summary>
    public Tensor Together { get; } = Stack(Whole);

    /// <summary>The small views in this order, [L B, 3, h, w].</summary>
    public Tensor? LocalTogether { get; } = Local is null ? null : Stack(Local);

    private static Tensor Stack(Tensor views) => views.transpose(0, 1).flatten(0, 1);
}

internal static class Backbones
{
    private static readonly HashSet<string> s_embedding = [IFeatureNetwork.Embedding];

    /// <summary>The vector that stands for each image, [B, D], of images [B, 3, H, W].</summary>
    public static Tensor Embed(this nn.Module backbone, Tensor pixels) => ((IFeatureNetwork)backbone).Describe(pixels, s_embedding)[IFeatureNetwork.Embedding];

    /// <summary>The length of that vector.</summary>
    public static int EmbeddingWidth(this nn.Module backbone) => ((IFeatureNetwork)backbone).Features.Single(feature => feature.Name == IFeatureNetwork.Embedding).Shape[0];
}
