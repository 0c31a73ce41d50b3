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
