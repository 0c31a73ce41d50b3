using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Pictures and what the network should say of them. It owns its tensors.</summary>
/// <param name="Pixels">[B, 3, H, W] uint8 on the CPU.</param>
/// <param name="Targets">For each row: of a classifier its share of each class, times its weight, [B, classes]; of CLIP its text's tokens, [B, T].</param>
internal sealed record TrainingBatch(Tensor Pixels, Tensor Targets) : IDisposable
{
    public void Dispose()
    {
        Pixels.Dispose();
        Targets.Dispose();
    }
}
