using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Pictures and what the network should say of them. It owns its tensors.</summary>
/// <param name="Pixels">[B, 3, H, W] uint8 on the CPU.</param>
/// <param name="Targets">[B, classes]: each row's share of each class, times its weight.</param>
internal sealed record TrainingBatch(Tensor Pixels, Tensor Targets) : IDisposable
{
    public void Dispose()
    {
        Pixels.Dispose();
        Targets.Dispose();
    }
}
