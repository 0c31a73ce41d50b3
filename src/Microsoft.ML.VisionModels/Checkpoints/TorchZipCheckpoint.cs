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
    private readonly HashSet<string> _verified = [];
    private readonly FileStream _file;
    private readonly string _root;

    public TorchZipCheckpoint(string path, CheckpointWeights choice)
        : base(path, choice)
    {
        _file = InputFile.Open(path);
        try
        {
            _root = ReadDirectory();
            CheckByteOrder();
            Collect(Verified(_root + Pickle, pickle => new PickleReader(new BufferedStream(pickle, 1 << 16), path).Read()));
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
        Verified(Name(storage), bytes =>
        {
            bytes.Skip(firstElement * storage.Type.Size());
            TensorBytes.Read(bytes, storage.Type, target);
            return target;
        });
    }

    /// <summary>Reads an entry. The first time, it is read as a whole and its checksum compared; a storage of many tensors has to be read only once for that.</summary>
    private T Verified<T>(string name, Func<Stream, T> read)
    {
        var entry = _entries[name];
        // PyTorch writes 0 where it was told to leave checksums out.
        if (entry.Crc32 == 0 || _verified.Contains(name))
        {
            using var stream = entry.Open();
            return read(stream);
        }
        using var bytes = new ChecksumStream(entry.Open(), entry.Crc32);
        var result = read(bytes);
        bytes.ReadToEnd();
        _verified.Add(name);
        return result;
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
        if (!Verified(entry.FullName, order => order.ReadClaimed((int)Math.Min(entry.Length, 16))).AsSpan().SequenceEqual("little"u8))
            throw new CheckpointException($"{Path}: the tensors are not little-endian.");
    }
}
