using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>Writes safetensors.</summary>
internal static class SafetensorsWriter
{
    /// <summary>Writes a file.</summary>
    public static void Write(string path, IEnumerable<(string Name, Tensor Value)> tensors) =>
        AtomicFile.Write(path, file => Write(file, tensors));

    /// <summary>Writes to a stream, which need not seek.</summary>
    public static void Write(Stream stream, IEnumerable<(string Name, Tensor Value)> tensors)
    {
        // Wide types first: each tensor is then aligned to its own elements, as the format asks.
        var ordered = tensors.OrderByDescending(tensor => tensor.Value.dtype.Size()).ToArray();
        var header = Header(ordered);

        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var (_, value) in ordered)
            TensorBytes.Write(stream, value);
    }

    private static byte[] Header((string Name, Tensor Value)[] tensors)
    {
        var names = new HashSet<string>();
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            // Hugging Face's loaders insist on this entry.
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();

            long start = 0;
            foreach (var (name, value) in tensors)
            {
                if (!names.Add(name))
                    throw new ArgumentException($"Two tensors are named '{name}'.", nameof(tensors));
                var end = start + (value.NumberOfElements * value.dtype.Size());
                json.WriteStartObject(name);
                json.WriteString("dtype", value.dtype.Name());
                WriteNumbers(json, "shape", value.shape);
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

    private static void WriteNumbers(Utf8JsonWriter json, string name, ReadOnlySpan<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
