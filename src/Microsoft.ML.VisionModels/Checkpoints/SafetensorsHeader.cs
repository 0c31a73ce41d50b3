using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// The table of contents of a safetensors file: its length in eight bytes, then JSON with the type, the shape and the position of each tensor.
/// The bytes of the tensors follow, one after the other without gaps. https://github.com/huggingface/safetensors
/// </summary>
internal sealed class SafetensorsHeader
{
    private readonly string _file;
    private readonly OrderedDictionary<string, TensorInfo> _tensors = [];
    private readonly Dictionary<string, long> _starts = [];

    private SafetensorsHeader(string file) => _file = file;

    /// <summary>The tensors in the order of their bytes.</summary>
    public IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    /// <summary>Free text about the file.</summary>
    public Dictionary<string, string> Metadata { get; } = [];

    /// <summary>The number of bytes of all tensors.</summary>
    public long DataLength { get; private set; }

    /// <summary>Where a tensor's bytes start, counted from the end of the header.</summary>
    public long Start(string name) => _starts[name];

    /// <summary>Checks the number of bytes that follow the header.</summary>
    /// <exception cref="CheckpointException">It is not that of all tensors.</exception>
    public void ExpectDataLength(long length)
    {
        if (length != DataLength)
            throw new CheckpointException($"{_file}: the tensors take {DataLength} bytes, but the file has {length}; it may be truncated.");
    }

    /// <summary>Reads a header, and leaves the stream at the first tensor. All values of the header are checked before they are used.</summary>
    /// <param name="stream">The stream, at the first byte of the file. It need not be able to seek.</param>
    /// <param name="file">The name for messages.</param>
    /// <param name="limit">The most bytes that the JSON may have.</param>
    public static SafetensorsHeader Read(Stream stream, string file, int limit = Limits.SafetensorsHeaderBytes)
    {
        var header = new SafetensorsHeader(file);
        try
        {
            Span<byte> prefix = stackalloc byte[sizeof(ulong)];
            stream.ReadExactly(prefix);
            header.Parse(ReadJson(stream, BinaryPrimitives.ReadUInt64LittleEndian(prefix), file, limit));
        }
        catch (EndOfStreamException e)
        {
            throw new CheckpointException($"{file}: the file ends within the safetensors header.", e);
        }
        // The JSON reader throws InvalidOperationException for text that is not UTF-8.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException($"{file}: the safetensors header is not valid JSON: {e.Message}", e);
        }
        return header;
    }

    private static ReadOnlySpan<byte> ReadJson(Stream stream, ulong length, string file, int limit)
    {
        if (length > (ulong)limit)
            throw new CheckpointException($"{file}: the safetensors header claims {length} bytes; at most {limit} are read. Is this a safetensors file?");
        return stream.ReadClaimed((int)length);
    }

    private void Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        var found = new List<(TensorInfo Info, long Start, long End)>();
        var names = new HashSet<string>();

        Expect(reader.Read() && reader.TokenType == JsonTokenType.StartObject, "it is not an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            Expect(names.Add(name), $"'{name}' occurs twice");
            reader.Read();
            if (name == "__metadata__")
                ParseMetadata(ref reader);
            else
                found.Add(ParseTensor(ref reader, name));
            Expect(found.Count <= Limits.Tensors, $"it has more than {Limits.Tensors} tensors");
        }
        Expect(!reader.Read(), "something follows it"); // Read also lets the JSON reader check what follows.

        found.Sort((a, b) => (a.Start, a.End).CompareTo((b.Start, b.End)));
        foreach (var (info, start, end) in found)
        {
            Expect(start == DataLength, $"tensor '{info.Name}' starts at byte {start}, where {DataLength} is expected: tensors overlap or leave gaps");
            DataLength = end;
            _starts.Add(info.Name, start);
            _tensors.Add(info.Name, info);
        }
    }

    private void ParseMetadata(ref Utf8JsonReader reader)
    {
        Expect(reader.TokenType == JsonTokenType.StartObject, "its metadata are not an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            Expect(reader.Read() && reader.TokenType == JsonTokenType.String, $"the metadata '{key}' are not text");
            Expect(Metadata.TryAdd(key, reader.GetString()!), $"the metadata '{key}' occur twice");
        }
    }

    private (TensorInfo Info, long Start, long End) ParseTensor(ref Utf8JsonReader reader, string name)
    {
        ScalarType? type = null;
        List<long>? shape = null, offsets = null;

        Expect(reader.TokenType == JsonTokenType.StartObject, $"tensor '{name}' is not an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString();
            reader.Read();
            if (key == "dtype" && type is null)
            {
                Expect(reader.TokenType == JsonTokenType.String, $"tensor '{name}' has no element type");
                type = TensorTypes.Parse(reader.GetString());
                Expect(type is not null, $"tensor '{name}' has the element type '{reader.GetString()}', which is not read");
            }
            else if (key == "shape" && shape is null)
            {
                shape = ParseNumbers(ref reader, name);
            }
            else if (key == "data_offsets" && offsets is null)
            {
                offsets = ParseNumbers(ref reader, name);
            }
            else
            {
                Expect(false, $"tensor '{name}' has an unknown or repeated entry '{key}'");
            }
        }

        Expect(type is not null && shape is not null && offsets is not null, $"tensor '{name}' lacks dtype, shape or data_offsets");
        Expect(offsets!.Count == 2 && offsets[0] <= offsets[1], $"tensor '{name}' has no sound data_offsets");
        var bytes = TensorTypes.ByteCount(shape!, type!.Value);
        Expect(
            bytes == offsets[1] - offsets[0],
            $"tensor '{name}' of type {type.Value.Name()} and shape {shape!.Text()} does not take the {offsets[1] - offsets[0]} bytes of its data_offsets");
        return (new TensorInfo(name, type.Value, shape!), offsets[0], offsets[1]);
    }

    private List<long> ParseNumbers(ref Utf8JsonReader reader, string name)
    {
        var numbers = new List<long>();
        Expect(reader.TokenType == JsonTokenType.StartArray, $"tensor '{name}' has no list of numbers where one is expected");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            long number = -1;
            Expect(
                reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out number) && number >= 0,
                $"tensor '{name}' has a size or offset that is not a whole number from 0 to 2^63 - 1");
            numbers.Add(number);
            Expect(numbers.Count <= TensorTypes.MaxDimensions, $"tensor '{name}' has more than {TensorTypes.MaxDimensions} dimensions");
        }
        return numbers;
    }

    private void Expect(bool condition, string problem)
    {
        if (!condition)
            throw new CheckpointException($"{_file}: the safetensors header is wrong: {problem}.");
    }
}
