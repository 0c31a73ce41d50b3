using System.Buffers.Binary;
using System.IO.Hashing;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Fuzz;

/// <summary>Damages the chunks of a PNG, and sets their checksums right again.</summary>
internal sealed class PngMutator(Random random)
{
    public byte[] Mutate(byte[] file)
    {
        var chunks = Chunks(file).ToList();
        for (var times = random.Next(1, 3); times > 0 && chunks.Count > 0; times--)
        {
            var at = random.Next(chunks.Count);
            var chunk = chunks[at];
            switch (random.Next(5))
            {
                case 0: chunks.RemoveAt(at); break;
                case 1: chunks.Insert(random.Next(chunks.Count), chunk); break;
                case 2 when chunk.Length > 4: chunk[random.Next(4, chunk.Length)] = (byte)(random.Next(2) * 0xFF); break;
                case 3 when chunk.Length > 4: chunks[at] = chunk[..random.Next(4, chunk.Length)]; break;
                default: chunk[random.Next(chunk.Length)] ^= (byte)(1 << random.Next(8)); break;
            }
        }
        return [.. file.AsSpan(0, 8), .. chunks.SelectMany(Chunk)];
    }

    /// <summary>Each with its type before it.</summary>
    private static IEnumerable<byte[]> Chunks(byte[] file)
    {
        for (var start = 8; start + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(start));
            if (length < 0 || length > file.Length - start - 12)
                throw new InvalidDataException();
            yield return file[(start + 4)..(start + 8 + length)];
            start += 12 + length;
        }
    }

    private static byte[] Chunk(byte[] chunk)
    {
        var whole = new byte[chunk.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(whole, chunk.Length - 4);
        chunk.CopyTo(whole, 4);
        BinaryPrimitives.WriteUInt32BigEndian(whole.AsSpan(chunk.Length + 4), Crc32.HashToUInt32(chunk));
        return whole;
    }
}
