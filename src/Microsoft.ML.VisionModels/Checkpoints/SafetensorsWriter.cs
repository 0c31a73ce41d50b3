using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>Writes safetensors files.</summary>
internal static class SafetensorsWriter
{
    /// <summary>Writes a file.</summary>
    public static void Write(string path, IEnumerable<(string Name, Tensor Value)> tensors) =>
        AtomicFile.Write(path, file => Write(file, tensors));

    /// <summary>Writes a file from sources that need not be tensors in memory.</summary>
    public static void Write(string path, IEnumerable<TensorSource> tensors) => AtomicFile.Write(path, file => Write(file, tensors));

    /// <summary>Writes to a stream, which need not be able to seek.</summary>
    public static void Write(Stream stream, IEnumerable<(string Name, Tensor Value)> tensors) =>
        Write(stream, tensors.Select(tensor => TensorSource.Of(tensor.Name, tensor.Value)));

    private static void Write(Stream stream, IEnumerable<TensorSource> tensors)
    {
        // Wide element types first, so that each tensor is aligned to its element size.
        var ordered = tensors.OrderByDescending(tensor => tensor.Info.Type.Size()).ToArray();
        var header = Header(ordered);

        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var tensor in ordered)
            tensor.Write(stream);
    }

    private static byte[] Header(TensorSource[] tensors)
    {
        var names = new HashSet<string>();
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            // Hugging Face's loaders require this entry.
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();

            long start = 0;
            foreach (var ((name, type, shape), _) in tensors)
            {
                if (!names.Add(name))
                    throw new ArgumentException($"Two tensors are named '{name}'.", nameof(tensors));
                var end = start + (shape.Product() * type.Size());
                json.WriteStartObject(name);
                json.WriteString("dtype", type.Name());
                WriteNumbers(json, "shape", shape);
                WriteNumbers(json, "data_offsets", [start, end]);
                json.WriteEndObject();
                start = end;
            }
            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}

/// <summary>A tensor to be written: its entry in the header, and a function that writes its elements.</summary>
/// <param name="Info">Name, type and shape.</param>
/// <param name="Write">Writes all elements, row-major and little-endian.</param>
internal sealed record TensorSource(TensorInfo Info, Action<Stream> Write)
{
    public static TensorSource Of(string name, Tensor value) => new(new(name, value.dtype, value.shape), stream => TensorBytes.Write(stream, value));
}
