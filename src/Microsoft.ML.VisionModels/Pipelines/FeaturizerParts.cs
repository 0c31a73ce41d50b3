using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What a loaded featurizer consists of.</summary>
internal sealed record FeaturizerParts(FeaturizerModel Model, ImagePreprocessing Preprocessing, FeaturizerSettings Settings, torch.Device Device);

/// <summary>What a featurizer keeps of its options: how to score, and the names of the output columns by their features' names. Saved with the model.</summary>
internal sealed record FeaturizerSettings(
    string ImageColumn, IReadOnlyDictionary<string, string> Columns, int BatchSize, Precision Precision, bool SkipInvalidImages);
