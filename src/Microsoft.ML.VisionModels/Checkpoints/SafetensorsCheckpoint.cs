using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>A safetensors file.</summary>
internal sealed class SafetensorsCheckpoint : Checkpoint
{
    private readonly SafetensorsHeader _header;
    private readonly FileStream _file;
    private readonly long _dataStart;

    public SafetensorsCheckpoint(string path)
        : base(path)
    {
        _file = InputFile.Open(path);
        try
        {
            _header = SafetensorsHeader.Read(_file, path);
            _dataStart = _file.Position;
            _header.ExpectDataLength(_file.Length - _dataStart);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors => _header.Tensors;

    private protected override void Fill(Tensor target, TensorInfo info)
    {
        _file.Position = _dataStart + _header.Start(info.Name);
        TensorBytes.Read(_file, info.Type, target);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
    }
}

/// <summary>
/// Safetensors in a stream that cannot seek, such as an entry of a model's zip file. Each tensor can be read once, in the order of <see cref="Tensors"/>.
/// The header is shorter than that of a file may be, as a small entry can unpack to a long one.
/// </summary>
/// <param name="stream">The stream, at the first byte of the safetensors. The caller closes it.</param>
/// <param name="name">The name for messages.</param>
internal sealed class SafetensorsStream(Stream stream, string name) : Checkpoint(name)
{
    private readonly SafetensorsHeader _header = SafetensorsHeader.Read(stream, name, Limits.TextBytes);
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
