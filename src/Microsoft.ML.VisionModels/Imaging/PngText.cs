using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// Texts within a PNG file, as its specification has them (iTXt, 11.3.3.4; tEXt, 11.3.3.2): a keyword, and what stands under it. They are
/// written right after the header, where programs look for them first. Packed ones are passed over.
/// </summary>
internal static class PngText
{
    private const int SignatureBytes = 8, HeaderEnd = SignatureBytes + 25, LengthBytes = 4, NameBytes = 4, ChecksumBytes = 4, LongestKeyword = 79;

    /// <summary>The file with texts in it.</summary>
    /// <exception cref="ArgumentException">A keyword is empty, too long, or has other signs than Latin letters.</exception>
    public static byte[] Add(byte[] png, IEnumerable<KeyValuePair<string, string>> texts) =>
        [.. png[..HeaderEnd], .. texts.SelectMany(text => Chunk(text.Key, text.Value)), .. png[HeaderEnd..]];

    /// <summary>The texts of a file by their keywords; none of a file that is no PNG. Of a damaged one, those before the damage.</summary>
    public static Dictionary<string, string> Read(ReadOnlySpan<byte> png)
    {
        var texts = new Dictionary<string, string>();
        if (!png.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', (byte)'\r', (byte)'\n', 0x1a, (byte)'\n']))
            return texts;
        for (var at = SignatureBytes; at + LengthBytes + NameBytes <= png.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(png[at..]);
            var name = png.Slice(at + LengthBytes, NameBytes);
            at += LengthBytes + NameBytes;
            if (length > png.Length - at)
                break;
            var data = png.Slice(at, (int)length);
            if (data.IndexOf((byte)0) is > 0 and var end)
            {
                var keyword = Encoding.Latin1.GetString(data[..end]);
                if (name.SequenceEqual("tEXt"u8))
                    texts[keyword] = Encoding.Latin1.GetString(data[(end + 1)..]);
                else if (name.SequenceEqual("iTXt"u8) && data[(end + 1)..] is [0, _, .. var rest] && rest.IndexOf((byte)0) is >= 0 and var language && rest[(language + 1)..] is var translated && translated.IndexOf((byte)0) is >= 0 and var skipped)
                    texts[keyword] = Encoding.UTF8.GetString(translated[(skipped + 1)..]);
            }
            at += (int)length + ChecksumBytes;
        }
        return texts;
    }

    private static byte[] Chunk(string keyword, string text)
    {
        if (keyword.Length is 0 or > LongestKeyword || keyword.Any(sign => sign is < ' ' or > '~'))
            throw new ArgumentException($"The keyword '{keyword}' of a PNG's text must have 1 to {LongestKeyword} signs of ASCII.", nameof(keyword));
        byte[] content = [.. "iTXt"u8, .. Encoding.Latin1.GetBytes(keyword), 0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(text)];
        var (length, checksum) = (new byte[LengthBytes], new byte[ChecksumBytes]);
        BinaryPrimitives.WriteInt32BigEndian(length, content.Length - NameBytes);
        BinaryPrimitives.WriteUInt32BigEndian(checksum, Crc32.HashToUInt32(content));
        return [.. length, .. content, .. checksum];
    }
}
