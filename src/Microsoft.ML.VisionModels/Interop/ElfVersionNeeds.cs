using System.Buffers.Binary;
using System.Text;

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>
/// Edits the table of symbol versions that a 64-bit little-endian ELF library needs from the libraries it is linked to
/// (section type SHT_GNU_verneed). A need that is marked weak is no error where the version is missing.
/// </summary>
internal static class ElfVersionNeeds
{
    private const uint SectionTypeVersionNeed = 0x6ffffffe;
    private const ushort FlagWeak = 0x2;

    /// <summary>Marks the needs of <paramref name="version"/> weak, in place, and returns how many there were.</summary>
    /// <exception cref="BadImageFormatException">The bytes are not such a library.</exception>
    public static int Weaken(Span<byte> image, string version)
    {
        if (image.Length < 64 || !image[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw new BadImageFormatException("Not a 64-bit little-endian ELF file.");

        var sections = Offset(U64(image, 0x28));
        int sectionSize = U16(image, 0x3A), sectionCount = U16(image, 0x3C), weakened = 0;
        for (var i = 0; i < sectionCount; i++)
        {
            var section = sections + i * sectionSize;
            if (U32(image, section + 4) != SectionTypeVersionNeed)
                continue;

            var strings = Offset(U64(image, sections + Offset(U32(image, section + 40)) * sectionSize + 24));
            var need = Offset(U64(image, section + 24));                 // Elfxx_Verneed: one per library
            while (true)
            {
                var versions = U16(image, need + 2);
                var auxiliary = need + Offset(U32(image, need + 8));     // Elfxx_Vernaux: one per version
                for (var k = 0; k < versions; k++)
                {
                    if (NameAt(image, strings + Offset(U32(image, auxiliary + 8))) == version)
                    {
                        image[auxiliary + 4] |= (byte)FlagWeak;
                        weakened++;
                    }
                    auxiliary += Offset(U32(image, auxiliary + 12));
                }

                var next = Offset(U32(image, need + 12));
                if (next == 0)
                    break;
                need += next;
            }
        }
        return weakened;
    }

    private static string NameAt(ReadOnlySpan<byte> image, int at)
    {
        var tail = image[at..];
        return Encoding.ASCII.GetString(tail[..tail.IndexOf((byte)0)]);
    }

    private static int Offset(ulong value) => checked((int)value);

    private static ushort U16(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt16LittleEndian(image[at..]);

    private static uint U32(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt32LittleEndian(image[at..]);

    private static ulong U64(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt64LittleEndian(image[at..]);
}
