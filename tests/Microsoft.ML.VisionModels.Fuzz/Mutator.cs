using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Microsoft.Data.Sqlite;

namespace Microsoft.ML.VisionModels.Fuzz;

/// <summary>
/// Damages a file: its bytes, or what is packed in it, packed again so that lengths and checksums are right and the damage gets past
/// them. The same random numbers make the same damage.
/// </summary>
internal sealed class Mutator(Random random)
{
    private static readonly long[] s_numbers = [0, 1, -1, 127, 128, 255, 256, 32767, 65535, 65536, int.MaxValue, int.MinValue, uint.MaxValue, 1L << 32, 1L << 40, long.MaxValue, long.MinValue];

    public byte[] Mutate(byte[] file, string name)
    {
        if (random.Next(4) == 0)
            return Bytes(file);
        try
        {
            return file switch
            {
                [(byte)'P', (byte)'K', 3, 4, ..] => Zip(file),
                [0x1f, 0x8b, ..] => Gzip(file),
                [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => new PngMutator(random).Mutate(file),
                [(byte)'S', (byte)'Q', (byte)'L', (byte)'i', (byte)'t', (byte)'e', ..] => new StudyMutator(random).Mutate(file),
                _ when name.EndsWith(".safetensors", StringComparison.Ordinal) => Safetensors(file),
                _ when name.EndsWith(".json", StringComparison.Ordinal) => new JsonMutator(random).Mutate(file),
                _ when name.EndsWith(".txt", StringComparison.Ordinal) => Lines(file),
                _ => Bytes(file),
            };
        }
        // What is damaged already, by an earlier damage or before it was packed, may not be parsed.
        catch (Exception e) when (e is InvalidDataException or System.Text.Json.JsonException or ArgumentException or InvalidOperationException or SqliteException)
        {
            return Bytes(file);
        }
    }

    private byte[] Bytes(byte[] file)
    {
        List<byte> bytes = [.. file];
        for (var times = random.Next(1, 5); times > 0; times--)
        {
            var at = random.Next(bytes.Count + 1);
            var length = Math.Min(1 << random.Next(1, 12), bytes.Count - at);
            switch (random.Next(9))
            {
                case 0 or 1 or 2 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 3 when at < bytes.Count: bytes[at] = (byte)random.Next(256); break;
                case 4: Overwrite(bytes, at); break;
                case 5: bytes.RemoveRange(at, length); break;
                case 6: bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length)); break;
                case 7: bytes.InsertRange(at, Enumerable.Repeat((byte)random.Next(256), 1 << random.Next(12))); break;
                default: bytes.RemoveRange(at, random.Next(4) == 0 ? bytes.Count - at : 0); break;
            }
        }
        return [.. bytes];
    }

    private void Overwrite(List<byte> bytes, int at)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, s_numbers[random.Next(s_numbers.Length)]);
        var size = 1 << random.Next(4);
        if (random.Next(2) == 0)
            number[..size].Reverse();
        for (var i = 0; i < size && at + i < bytes.Count; i++)
            bytes[at + i] = number[i];
    }

    private byte[] Lines(byte[] file)
    {
        var lines = Encoding.Latin1.GetString(file).Split('\n').ToList();
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var (at, other) = (random.Next(lines.Count), random.Next(lines.Count));
            switch (random.Next(7))
            {
                case 0 when lines.Count > 1: lines.RemoveAt(at); break;
                case 1: lines.Insert(at, lines[other]); break;
                case 2: (lines[at], lines[other]) = (lines[other], lines[at]); break;
                case 3: lines[at] += (char)random.Next(256); break;
                case 4: lines[at] = new string((char)random.Next(32, 256), 1 << random.Next(20)); break;
                case 5: lines[at] = lines[at].Replace(' ', '\0'); break;
                default: lines[at] = Encoding.Latin1.GetString(Bytes(Encoding.Latin1.GetBytes(lines[at]))); break;
            }
        }
        return Encoding.Latin1.GetBytes(string.Join('\n', lines));
    }

    private byte[] Safetensors(byte[] file)
    {
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        var header = Mutate(file.AsSpan(8, length).ToArray(), "header.json");
        var prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
        var data = file.AsSpan(8 + length);
        return [.. prefix, .. header, .. random.Next(8) == 0 ? data[..random.Next(data.Length + 1)] : data];
    }

    private byte[] Gzip(byte[] file)
    {
        using var text = new MemoryStream();
        using (var unpacked = new GZipStream(new MemoryStream(file), CompressionMode.Decompress))
            unpacked.CopyTo(text);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Lines(text.ToArray()));
        return packed.ToArray();
    }

    private byte[] Zip(byte[] file)
    {
        using var archive = new ZipArchive(new MemoryStream(file));
        var entries = archive.Entries.Select(entry => (Name: entry.FullName, IsStored: entry.CompressedLength == entry.Length, Bytes: ReadAll(entry))).ToList();
        for (var times = random.Next(1, 3); times > 0 && entries.Count > 0; times--)
        {
            var at = random.Next(entries.Count);
            var (name, isStored, bytes) = entries[at];
            switch (random.Next(12))
            {
                case 0: entries.RemoveAt(at); break;
                case 1: entries.Add((entries[random.Next(entries.Count)].Name, isStored, bytes)); break;
                case 2: entries[at] = (name + (char)random.Next(32, 127), isStored, bytes); break;
                case 3 when !isStored: entries[at] = (name, isStored, [.. bytes, .. Enumerable.Repeat((byte)(random.Next(2) * ' '), 32 << 20)]); break;
                default: entries[at] = (name, isStored, Mutate(bytes, name)); break;
            }
        }
        using var packed = new MemoryStream();
        using (var target = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, isStored, bytes) in entries)
            {
                using var entry = target.CreateEntry(name, isStored ? CompressionLevel.NoCompression : CompressionLevel.Fastest).Open();
                entry.Write(bytes);
            }
        }
        return packed.ToArray();
    }

    private static byte[] ReadAll(ZipArchiveEntry entry)
    {
        using var bytes = new MemoryStream();
        using var stream = entry.Open();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
