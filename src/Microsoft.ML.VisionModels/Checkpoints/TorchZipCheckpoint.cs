using System.IO.Compression;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// A file of <c>torch.save</c> since PyTorch 1.6: a zip without compression that has <c>name/data.pkl</c>, <c>name/byteorder</c> and the storages <c>name/data/0</c>, <c>1</c>, ...
/// <c>torch.jit.save</c> adds the source code of the modules in <c>name/code</c>, which is compressed and is not read.
/// </summary>
internal sealed class TorchZipCheckpoint : PickleCheckpoint
{
    private const string Pickle = "/data.pkl";

    private readonly Dictionary<string, ZipArchiveEntry> _entries = [];
    private readonly FileStream _file;
    private readonly string _root;

    public TorchZipCheckpoint(string path)
        : base(path)
    {
        _file = File.OpenRead(path);
        try
        {
            _root = ReadDirectory();
            CheckByteOrder();
            using var pickle = _entries[_root + Pickle].Open();
            using var buffered = new BufferedStream(pickle, 1 << 16);
            Collect(new PickleReader(buffered, path).Read());
        }
        catch (Exception e) when (e is IOException or InvalidDataException or NotSupportedException or ArgumentException or OverflowException)
        {
            _file.Dispose();
            throw new CheckpointException($"{path}: the zip archive is damaged: {e.Message}", e);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    protected override bool Has(PickleStorage storage) =>
        _entries.TryGetValue(Name(storage), out var entry) && entry.Length == storage.Count * storage.Type.Size();

    protected override void Read(PickleStorage storage, long firstElement, Tensor target)
    {
        using var bytes = _entries[Name(storage)].Open();
        bytes.Skip(firstElement * storage.Type.Size());
        TensorBytes.Read(bytes, storage.Type, target);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
    }

    private string Name(PickleStorage storage) => $"{_root}/data/{storage.Key}";

    private string ReadDirectory()
    {
        foreach (var entry in new ZipArchive(_file, ZipArchiveMode.Read, leaveOpen: true).Entries)
        {
            var name = entry.FullName;
            if (name.Contains('\\', StringComparison.Ordinal) || name.TrimEnd('/').Split('/').Any(segment => segment is "" or "." or ".."))
                throw new CheckpointException($"{Path}: the archive has an entry '{name}' that leads out of it.");
            if (name.Split('/') is [_, "code", _, ..])
                continue;
            if (entry.CompressedLength != entry.Length || entry.Length > _file.Length)
                throw new CheckpointException($"{Path}: the archive's entry '{name}' is compressed; PyTorch stores entries as they are.");
            if (!_entries.TryAdd(name, entry))
                throw new CheckpointException($"{Path}: the archive has two entries '{name}'.");
        }

        string[] roots = [.. _entries.Keys.Where(name => name.EndsWith(Pickle, StringComparison.Ordinal)).Select(name => name[..^Pickle.Length])];
        return roots is [var root] ? root : throw new CheckpointException($"{Path}: the archive has {roots.Length} entries data.pkl, where PyTorch writes one.");
    }

    private void CheckByteOrder()
    {
        if (!_entries.TryGetValue(_root + "/byteorder", out var entry))
            return;
        using var order = entry.Open();
        if (!order.ReadClaimed((int)Math.Min(entry.Length, 16)).AsSpan().SequenceEqual("little"u8))
            throw new CheckpointException($"{Path}: the tensors are not little-endian.");
    }
}
