using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Images and what the network should say of them. It owns its tensors.</summary>
/// <param name="Pixels">[B, 3, H, W] uint8 on the CPU.</param>
/// <param name="Targets">For each row: of a classifier its share of each class, times its weight, [B, classes]; of CLIP its text's tokens, [B, T].</param>
internal sealed record TrainingBatch(Tensor Pixels, Tensor Targets) : IDisposable
{
    /// <summary>One of so many parts of about as many rows; null where the batch has fewer rows than parts.</summary>
    public (Tensor Pixels, Tensor Targets)? Part(int part, int parts)
    {
        var all = Pixels.shape[0];
        var rows = (all + parts - 1) / parts;
        var first = part * rows;
        rows = Math.Min(rows, all - first);
        return rows > 0 ? (Pixels.narrow(0, first, rows), Targets.narrow(0, first, rows)) : null;
    }

    public void Dispose()
    {
        Pixels.Dispose();
        Targets.Dispose();
    }
}
