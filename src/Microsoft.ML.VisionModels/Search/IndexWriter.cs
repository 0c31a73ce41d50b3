using System.Runtime.InteropServices;
using Microsoft.ML.VisionModels.Checkpoints;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>
/// Writes an index as safetensors, which other programs read too: <c>vectors</c> (float32 [count, dimensions], each of length 1),
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
