using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// Safetensors from a stream that only goes forward, such as an entry of a model zip: tensors can be read once each, in the order of <see cref="Tensors"/>.
/// </summary>
/// <param name="stream">Stands at the first byte of the safetensors; stays the caller's.</param>
/// <param name="name">The name for messages.</param>
internal sealed class SafetensorsStream(Stream stream, string name) : Checkpoint(name)
{
    private readonly SafetensorsHeader _header = SafetensorsHeader.Read(stream, name);
    private long _position;

    public override IReadOnlyDictionary<string, TensorInfo> Tensors => _header.Tensors;

    private protected override void Fill(Tensor target, TensorInfo info)
    {
        var start = _header.Start(info.Name);
        if (start < _position)
            throw new InvalidOperationException($"{Path}: tensor '{info.Name}' has already gone by; a stream is read in its own order.");

        stream.Skip(start - _position);
        TensorBytes.Read(stream, info.Type, target);
        _position = start + (target.NumberOfElements * info.Type.Size());
    }

    protected override void Dispose(bool disposing)
    {
    }
}
