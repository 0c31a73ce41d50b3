using Microsoft.ML.VisionModels.Core;
using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// A file of <c>torch.save</c> before PyTorch 1.6: five pickles one after the other (a magic number, the protocol, the machine, the object, the keys of its storages),
/// then the storages in the order of the keys, each with its number of elements in eight bytes and the elements.
/// </summary>
internal sealed class TorchLegacyCheckpoint : PickleCheckpoint
{
    private const long Protocol = 1001;
    private static readonly BigInteger s_magic = BigInteger.Parse("1950a86a20f9469cfc6c", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private readonly Dictionary<string, long> _starts = [];
    private readonly FileStream _file;

    public TorchLegacyCheckpoint(string path, CheckpointWeights choice)
        : base(path, choice)
    {
        _file = InputFile.Open(path);
        try
        {
            var reader = new PickleReader(_file, path);
            if (reader.Read() is not BigInteger magic || magic != s_magic || reader.Read() is not Protocol)
                throw new CheckpointException($"{path}: this pickle was not written by torch.save.");
            if (reader.Read() is not PickleDictionary machine || machine.GetValueOrDefault("little_endian") is not true)
                throw new CheckpointException($"{path}: the tensors are not little-endian.");

            var model = reader.Read();
            var storages = reader.Storages.ToDictionary();
            if (reader.Read() is not List<object?> keys)
                throw new CheckpointException($"{path}: the list of storages is missing.");
            foreach (var key in keys)
                FindStorage(key is string text ? storages.GetValueOrDefault(text) : null);

            Collect(model);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    protected override bool Has(PickleStorage storage) => _starts.ContainsKey(storage.Key);

    protected override void Read(PickleStorage storage, long firstElement, Tensor target)
    {
        _file.Position = _starts[storage.Key] + (firstElement * storage.Type.Size());
        TensorBytes.Read(_file, storage.Type, target);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
    }

    private void FindStorage(PickleStorage? storage)
    {
        Span<byte> count = stackalloc byte[sizeof(long)];
        if (storage is null
            || _file.ReadAtLeast(count, count.Length, throwOnEndOfStream: false) < count.Length
            || BinaryPrimitives.ReadInt64LittleEndian(count) != storage.Count
            || _file.Length - _file.Position < storage.Count * storage.Type.Size()
            || !_starts.TryAdd(storage.Key, _file.Position))
        {
            throw new CheckpointException($"{Path}: the storage '{storage?.Key}' is truncated, or not as the pickle describes it.");
        }
        _file.Skip(storage.Count * storage.Type.Size());
    }
}
