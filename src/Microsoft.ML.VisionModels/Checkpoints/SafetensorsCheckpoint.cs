using System.IO.MemoryMappedFiles;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>A safetensors file, mapped into memory one tensor at a time, so that no more than that adds to the network's own memory.</summary>
internal sealed class SafetensorsCheckpoint : Checkpoint
{
    private readonly SafetensorsHeader _header;
    private readonly MemoryMappedFile _map;
    private readonly long _dataStart;

    public SafetensorsCheckpoint(string path)
        : base(path)
    {
        var file = File.OpenRead(path);
        try
        {
            _header = SafetensorsHeader.Read(file, path);
            _dataStart = file.Position;
            if (file.Length - _dataStart != _header.DataLength)
                throw new CheckpointException($"{path}: the tensors take {_header.DataLength} bytes, but the file has {file.Length - _dataStart}; it may be truncated.");
            _map = MemoryMappedFile.CreateFromFile(file, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors => _header.Tensors;

    private protected override void Fill(Tensor target, TensorInfo info)
    {
        var (start, length) = _header.Place(info.Name);
        using var bytes = _map.CreateViewStream(_dataStart + start, length, MemoryMappedFileAccess.Read);
        TensorBytes.Read(bytes, info.Type, target);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _map.Dispose();
    }
}
