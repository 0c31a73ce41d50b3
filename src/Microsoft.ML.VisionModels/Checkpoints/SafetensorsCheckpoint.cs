using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>A safetensors file, mapped into memory.</summary>
internal sealed class SafetensorsCheckpoint : Checkpoint
{
    private readonly SafetensorsHeader _header;
    private readonly MappedFile _data;
    private readonly long _dataStart;

    public SafetensorsCheckpoint(string path)
        : base(path)
    {
        var file = File.OpenRead(path);
        try
        {
            _header = SafetensorsHeader.Read(file, path);
            _dataStart = file.Position;
            _header.ExpectDataLength(file.Length - _dataStart);
            _data = new MappedFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors => _header.Tensors;

    private protected override void Fill(Tensor target, TensorInfo info) => _data.Read(_dataStart + _header.Start(info.Name), info.Type, target);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _data.Dispose();
    }
}

/// <summary>
/// Safetensors in a stream that cannot seek, such as an entry of a model's zip file. Each tensor can be read once, in the order of <see cref="Tensors"/>.
/// </summary>
/// <param name="stream">The stream, at the first byte of the safetensors. The caller closes it.</param>
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
