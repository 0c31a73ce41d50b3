using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What a classifier's network gives for a batch.</summary>
/// <param name="Logits">[B, classes].</param>
/// <param name="Embedding">[B, features], where asked for.</param>
/// <param name="Attention">Where the answers come from, [B, rows, columns], the largest value of each map 1; where asked for.</param>
internal sealed record ClassifierOutput(Tensor Logits, Tensor? Embedding, Tensor? Attention);
