using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Images and what goes with them. It owns its tensors.</summary>
/// <param name="Pixels">[B, 3, H, W] uint8 on the CPU, or [B, V, 3, H, W] for several views of each.</param>
/// <param name="Payload">What a row has beside its image, [B, ...]: targets, tokens, a pose; null for nothing.</param>
internal sealed record TrainingBatch(Tensor Pixels, Tensor? Payload) : IDisposable
{
    public int Count => (int)Pixels.shape[0];

    /// <summary>A view of one of so many parts of about as many rows; null where the batch has fewer rows than parts.</summary>
    public TrainingBatch? Part(int part, int parts)
    {
        var rows = (Count + parts - 1) / parts;
        var first = part * rows;
        rows = Math.Min(rows, Count - first);
        return rows > 0 ? new(Pixels.narrow(0, first, rows), Payload?.narrow(0, first, rows)) : null;
    }

    public void Dispose()
    {
        Pixels.Dispose();
        Payload?.Dispose();
    }
}
