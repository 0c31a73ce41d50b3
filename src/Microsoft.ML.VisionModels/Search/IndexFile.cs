using System.Runtime.InteropServices;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>
/// Writes an index as safetensors, which other programs can read, too: <c>vectors</c> (float32 [count, dimensions], each of length 1),
/// <c>ids</c> (uint8 [bytes], the UTF-8 of all ids) and <c>id_ends</c> (int64 [count], where among those bytes each id ends).
/// </summary>
internal static class IndexWriter
{
    public const string Vectors = "vectors", Ids = "ids", IdEnds = "id_ends";

    public static void Write(string path, IReadOnlyList<string> ids, RowStore rows) => SafetensorsWriter.Write(path,
    [
        new TensorSource(new(IdEnds, ScalarType.Int64, [ids.Count]), stream => WriteEnds(stream, ids)),
        new TensorSource(new(Vectors, ScalarType.Float32, [rows.Count, rows.Dimensions]), stream => WriteRows(stream, rows)),
        new TensorSource(new(Ids, ScalarType.Byte, [ids.Sum(id => (long)IdList.Utf8.GetByteCount(id))]), stream => WriteIds(stream, ids)),
    ]);

    private static void WriteEnds(Stream stream, IReadOnlyList<string> ids)
    {
        using var writer = new BinaryWriter(stream, IdList.Utf8, leaveOpen: true);
        long end = 0;
        foreach (var id in ids)
            writer.Write(end += IdList.Utf8.GetByteCount(id));
    }

    private static void WriteRows(Stream stream, RowStore rows)
    {
        for (var row = 0; row < rows.Count; row++)
            stream.Write(MemoryMarshal.AsBytes(rows[row]));
    }

    private static void WriteIds(Stream stream, IReadOnlyList<string> ids)
    {
        foreach (var id in ids)
            stream.Write(IdList.Utf8.GetBytes(id));
    }
}

/// <summary>Reads the files of <see cref="IndexWriter"/>, and checks everything, as the file may be damaged or hostile.</summary>
internal sealed class IndexReader
{
    // For the squared length of a vector, which should be 1. The rounding errors of scaling are a thousand times smaller.
    private const double LengthTolerance = 1e-3;

    // How many tensors the error message names if the file is not an index.
    private const int TensorsShown = 5;

    private readonly string _path;
    private readonly Stream _file;
    private readonly SafetensorsHeader _header;
    private readonly long _start;

    private IndexReader(string path, Stream file)
    {
        (_path, _file) = (path, file);
        _header = SafetensorsHeader.Read(file, path);
        _start = file.Position;
        _header.ExpectDataLength(file.Length - _start);
    }

    /// <exception cref="CheckpointException">The file is damaged, or not an index.</exception>
    public static (IdList Ids, RowStore Rows) Read(string path)
    {
        using var file = InputFile.Open(path, bufferSize: 1 << 20);
        return new IndexReader(path, file).Read();
    }

    private (IdList Ids, RowStore Rows) Read()
    {
        var vectors = Find(IndexWriter.Vectors, ScalarType.Float32, dimensions: 2);
        var ids = Find(IndexWriter.Ids, ScalarType.Byte, dimensions: 1);
        var ends = Find(IndexWriter.IdEnds, ScalarType.Int64, dimensions: 1);
        var (count, dimensions) = (vectors.Shape[0], vectors.Shape[1]);
        Expect(count <= int.MaxValue && dimensions is >= 1 and <= EmbeddingIndex.MaxDimensions, $"{vectors} is more, or less, than an index can hold");
        Expect(ends.Shape[0] == count, $"there are not as many ids as vectors: {ends}, {vectors}");
        return (ReadIds(ids, ReadEnds(ends)), ReadRows(vectors));
    }

    private long[] ReadEnds(TensorInfo tensor)
    {
        GoTo(tensor);
        var ends = new long[tensor.Shape[0]];
        var reader = new BinaryReader(_file);
        for (var i = 0; i < ends.Length; i++)
            ends[i] = reader.ReadInt64();
        return ends;
    }

    private IdList ReadIds(TensorInfo tensor, long[] ends)
    {
        GoTo(tensor);
        var ids = new IdList();
        long start = 0;
        foreach (var end in ends)
        {
            Expect(end > start && end <= tensor.Shape[0] && end - start <= Array.MaxLength, $"id {ids.Count} ends at byte {end}, and starts at {start} of {tensor.Shape[0]}");
            var bytes = new byte[end - start];
            _file.ReadExactly(bytes);
            try
            {
                var id = IdList.Utf8.GetString(bytes);
                ids.Check(id);
                ids.Add(id);
            }
            catch (ArgumentException e)
            {
                throw new CheckpointException($"{_path}: the index is damaged: id {ids.Count} cannot be one: {e.Message}", e);
            }
            start = end;
        }
        Expect(start == tensor.Shape[0], $"the ids end at byte {start} of {tensor.Shape[0]}");
        return ids;
    }

    private RowStore ReadRows(TensorInfo tensor)
    {
        GoTo(tensor);
        var rows = new RowStore((int)tensor.Shape[1]);
        while (rows.Count < tensor.Shape[0])
        {
            var row = rows.Add();
            _file.ReadExactly(MemoryMarshal.AsBytes(row));
            var length = RowStore.SquaredLength(row);
            Expect(Math.Abs(length - 1) < LengthTolerance, $"vector {rows.Count - 1} has the squared length {length}, which should be 1");
        }
        return rows;
    }

    private TensorInfo Find(string name, ScalarType type, int dimensions)
    {
        if (!_header.Tensors.TryGetValue(name, out var tensor) || tensor.Type != type || tensor.Shape.Count != dimensions)
        {
            throw new CheckpointException(
                $"{_path}: this is no saved EmbeddingIndex: a tensor '{name}' of type {type} with {dimensions} dimension(s) is missing. " +
                $"It has {string.Join("; ", _header.Tensors.Values.Take(TensorsShown))}{(_header.Tensors.Count > TensorsShown ? "; ..." : ".")}");
        }
        return tensor;
    }

    private void GoTo(TensorInfo tensor) => _file.Position = _start + _header.Start(tensor.Name);

    private void Expect(bool condition, string problem)
    {
        if (!condition)
            throw new CheckpointException($"{_path}: the index is damaged: {problem}.");
    }
}
