using System.Buffers;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>Reads the files that text names, and tells what is no name of a file.</summary>
internal static class ImagePath
{
    private const int LongestPath = 4096;   // Linux's limit; others have less
    private const int ShownOfOthers = 80;

    private static readonly SearchValues<char> s_base64 = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n");

    // What the first bytes of JPEG, PNG, GIF, WebP and BMP become.
    private static readonly string[] s_base64Starts = ["/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "Qk"];

    /// <exception cref="ImageDecodeException">There is no such file, or none that can be read.</exception>
    public static byte[] Read(string path)
    {
        if (NoPath(path) is { } what)
            throw new ImageDecodeException(path.Length > ShownOfOthers ? path[..ShownOfOthers] + "..." : path, what);
        try
        {
            return InputFile.ReadBytes(path, Limits.ImageFileBytes, (problem, cause) => new ImageDecodeException(path, problem, cause));
        }
        catch (FileNotFoundException)
        {
            throw new ImageDecodeException(path, "there is no such file.");
        }
    }

    private static string? NoPath(string path)
    {
        const string bytes = "into a column of bytes (byte[])";
        if (path.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
            return $"this is a data URI and no path; put the bytes that it stands for {bytes}.";
        if (path.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || path.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
            return $"this is a web address and no path; download the image, into a file or {bytes}.";
        if (path.StartsWith("file://", StringComparison.OrdinalIgnoreCase))
            return "this is a URI and no path; the path is its Uri.LocalPath.";
        if (path.Length >= 40 && Array.Exists(s_base64Starts, start => path.StartsWith(start, StringComparison.Ordinal)) && path.AsSpan().IndexOfAnyExcept(s_base64) < 0)
            return $"this is base64 and no path; put the bytes that it stands for (Convert.FromBase64String) {bytes}.";
        return path.Length > LongestPath ? "this is too long for a path." : null;
    }
}
