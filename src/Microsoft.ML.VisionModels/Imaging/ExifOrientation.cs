using System.Buffers.Binary;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>How a photograph must be turned to stand upright, as the EXIF block of a JPEG, PNG or WebP says.</summary>
internal static class ExifOrientation
{
    /// <summary>The photograph stands upright as it is.</summary>
    public const int Upright = 1;

    private const ushort Tag = 0x0112;

    /// <summary>EXIF's number: on which sides of the upright image the file's first row and first column are; <see cref="Upright"/> where the file says nothing.</summary>
    /// <param name="file">All bytes of the file; the block may stand at its end.</param>
    public static int Of(ReadOnlySpan<byte> file)
    {
        var exif = file.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8]) ? OfJpeg(file)
            : file.StartsWith("\x89PNG\r\n\x1a\n"u8[1..]) ? OfPng(file)
            : file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8) ? OfWebp(file)
            : [];
        return Read(exif.StartsWith("Exif\0\0"u8) ? exif[6..] : exif);
    }

    private static ReadOnlySpan<byte> OfJpeg(ReadOnlySpan<byte> file)
    {
        for (var at = 2; at + 4 <= file.Length && file[at] == 0xff;)
        {
            var marker = file[at + 1];
            if (marker == 0xff)     // filling
            {
                at++;
                continue;
            }
            if (marker is 0xda or 0xd9)     // the image itself begins, or ends
                break;
            var length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            var content = Slice(file, at + 4, length - 2);
            if (marker == 0xe1 && content.StartsWith("Exif\0"u8))
                return content;
            at += 2 + length;
        }
        return [];
    }

    private static ReadOnlySpan<byte> OfPng(ReadOnlySpan<byte> file)
    {
        for (long at = 8; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file[(int)at..]);
            if (file[((int)at + 4)..].StartsWith("eXIf"u8))
                return Slice(file, at + 8, length);
            at += 12 + (long)length;    // with the length, the name and the checksum
        }
        return [];
    }

    private static ReadOnlySpan<byte> OfWebp(ReadOnlySpan<byte> file)
    {
        for (long at = 12; at + 8 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(file[((int)at + 4)..]);
            if (file[(int)at..].StartsWith("EXIF"u8))
                return Slice(file, at + 8, length);
            at += 8 + (long)length + (length & 1);
        }
        return [];
    }

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> file, long start, long length) =>
        length < 0 || start >= file.Length ? [] : file.Slice((int)start, (int)Math.Min(length, file.Length - start));

    /// <summary>Reads the tag out of a TIFF's first directory.</summary>
    private static int Read(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8 || !(tiff.StartsWith("II*\0"u8) || tiff.StartsWith("MM\0*"u8)))
            return Upright;
        var little = tiff[0] == 'I';
        var directory = Slice(tiff, Long(tiff[4..], little), tiff.Length);
        if (directory.Length < 2)
            return Upright;
        var entries = directory[2..];
        for (var count = Short(directory, little); count > 0 && entries.Length >= 12; count--, entries = entries[12..])
        {
            if (Short(entries, little) != Tag || Long(entries[4..], little) != 1)
                continue;
            uint value = Short(entries[2..], little) switch
            {
                1 or 6 => entries[8],                       // byte, signed byte
                3 or 8 => Short(entries[8..], little),      // short, signed short
                4 or 9 => Long(entries[8..], little),       // long, signed long
                _ => Upright,
            };
            return value is >= 1 and <= 8 ? (int)value : Upright;
        }
        return Upright;
    }

    private static ushort Short(ReadOnlySpan<byte> bytes, bool little) => little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    private static uint Long(ReadOnlySpan<byte> bytes, bool little) => little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
