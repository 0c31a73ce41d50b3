using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>
/// Text and JSON of others as bytes. What is no valid text is refused here, before anything is made of it: a wrong byte would become
/// U+FFFD in silence, and a name with half a character an error of the platform, wherever it is first looked at.
/// </summary>
internal static class Utf8Text
{
    /// <summary>The text of bytes in UTF-8, or in UTF-16 where they begin with its mark.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="source">What to call them in the message.</param>
    /// <exception cref="CheckpointException">They are no text.</exception>
    public static string Decode(ReadOnlySpan<byte> bytes, string source)
    {
        if (bytes is not ([0xFF, 0xFE, ..] or [0xFE, 0xFF, ..]))
            return DecodeUtf8(WithoutMark(bytes), source);
        try
        {
            return new UnicodeEncoding(bigEndian: bytes[0] == 0xFE, byteOrderMark: true, throwOnInvalidBytes: true).GetString(bytes[2..]);
        }
        catch (DecoderFallbackException e)
        {
            throw new CheckpointException($"{source} is no text in UTF-16, as which it begins.", e);
        }
    }

    /// <summary>The text of bytes in UTF-8, in which U+FEFF is a character like any other.</summary>
    /// <inheritdoc cref="Decode"/>
    public static string DecodeUtf8(ReadOnlySpan<byte> bytes, string source) =>
        Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw new CheckpointException(NotUtf8(bytes, source));

    /// <summary>
    /// The value of JSON in UTF-8. Every name and text in it is valid Unicode. The numbers that Python writes and JSON has no word for,
    /// such as the <c>-Infinity</c> in the configuration of every DPM-Solver, are texts of that word.
    /// </summary>
    /// <inheritdoc cref="Decode"/>
    /// <exception cref="CheckpointException">They are no JSON.</exception>
    public static JsonElement ParseJson(ReadOnlySpan<byte> bytes, string source)
    {
        bytes = WithoutMark(bytes);
        if (!Utf8.IsValid(bytes))
            throw new CheckpointException(NotUtf8(bytes, source));
        try
        {
            bytes = QuoteWords(bytes);
            CheckEscapes(bytes);
            return JsonElement.Parse(bytes);
        }
        // The latter where an escaped text is half a character.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException($"{source} is not valid JSON: {e.Message}", e);
        }
    }

    private static ReadOnlySpan<byte> QuoteWords(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf("Infinity"u8) < 0 && json.IndexOf("NaN"u8) < 0)
            return json;
        var quoted = new List<byte>(json.Length + 2);
        var inText = false;
        for (var i = 0; i < json.Length; i++)
        {
            var rest = json[i..];
            var length = inText ? 0 : rest.StartsWith("-Infinity"u8) ? 9 : rest.StartsWith("Infinity"u8) ? 8 : rest.StartsWith("NaN"u8) ? 3 : 0;
            if (length > 0)
            {
                quoted.AddRange([(byte)'"', .. rest[..length], (byte)'"']);
                i += length - 1;
                continue;
            }
            quoted.Add(json[i]);
            if (json[i] == '\\' && inText && i + 1 < json.Length)
                quoted.Add(json[++i]);      // what is escaped, which may be a quotation mark
            else if (json[i] == '"')
                inText = !inText;
        }
        return quoted.ToArray();
    }

    private static void CheckEscapes(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                reader.GetString();
        }
    }

    private static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> bytes) => bytes is [0xEF, 0xBB, 0xBF, ..] ? bytes[3..] : bytes;

    private static string NotUtf8(ReadOnlySpan<byte> bytes, string source)
    {
        var (valid, line) = (0, 1);
        while (valid < bytes.Length && Rune.DecodeFromUtf8(bytes[valid..], out var rune, out var length) == System.Buffers.OperationStatus.Done)
            (valid, line) = (valid + length, line + (rune.Value == '\n' ? 1 : 0));
        return $"{source} is no text in UTF-8: line {line} has the byte 0x{bytes[Math.Min(valid, bytes.Length - 1)]:x2}. If it is text in another encoding, save it as UTF-8.";
    }
}
