using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>A tensor to be written: what the header says of it, and what writes its elements when their turn comes.</summary>
/// <param name="Info">Name, type and shape.</param>
/// <param name="Write">Writes all elements, row-major and little-endian.</param>
internal sealed record TensorSource(TensorInfo Info, Action<Stream> Write)
{
    public static TensorSource Of(string name, Tensor value) => new(new(name, value.dtype, value.shape), stream => TensorBytes.Write(stream, value));
}
