using TorchSharp;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>A classifier that is decided on but not built: the architecture, and where its weights come from.</summary>
internal abstract class ClassifierBlueprint
{
    /// <summary>How images become the network's input; its output size is fixed and the network's.</summary>
    public abstract ImagePreprocessing Preprocessing { get; }

    /// <summary>The classes of the checkpoint's head; null where there is no head, or where its classes have no names.</summary>
    public abstract IReadOnlyList<string>? PublishedLabels { get; }

    /// <summary>Builds the network for some classes, and loads the checkpoint or draws random weights.</summary>
    /// <param name="labels">The classes.</param>
    /// <param name="newHead">Whether the head is drawn anew though the checkpoint may have one.</param>
    /// <param name="generator">The source of random weights now and of dropout later; it must outlive the training.</param>
    public abstract TrainableClassifierModel Build(LabelSet labels, bool newHead, torch.Generator generator);
}
