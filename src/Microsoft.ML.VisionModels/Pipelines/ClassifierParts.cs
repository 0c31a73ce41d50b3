using TorchSharp;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What a fitted classifier consists of.</summary>
internal sealed record ClassifierParts(
    ClassifierModel Model, ImagePreprocessing Preprocessing, LabelSet Labels, ClassifierSettings Settings, torch.Device Device, TrainingHistory? History);
