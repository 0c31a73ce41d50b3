using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>Results of a batch, row by row.</summary>
internal static class TensorRows
{
    /// <summary>A batch [B, ...] of any type and device as B arrays.</summary>
    public static float[][] ToRows(this Tensor batch)
    {
        var values = batch.flatten(1).to(ScalarType.Float32, CPU).contiguous().data<float>().ToArray();
        return [.. values.Chunk(values.Length / (int)batch.shape[0])];
    }
}
