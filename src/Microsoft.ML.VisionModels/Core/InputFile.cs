using System.Text;
using System.Text.Json;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>
/// Opens and reads files that others wrote. Only regular files are opened, as a device or a pipe may never end, and what is read at once
/// has a limit. All that is wrong is a <see cref="CheckpointException"/> that names the file, unless the caller makes another of it.
/// </summary>
internal static class InputFile
{
    // The pointers of Git LFS are shorter than this, by its specification.
    private const int LongestPointer = 1024;

    private static ReadOnlySpan<byte> PointerStart => "version https://git-lfs.github.com/spec/"u8;

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">The file.</param>
    /// <param name="error">Makes an exception of what is wrong, a sentence that begins with "it", and of its cause.</param>
    /// <param name="bufferSize">The stream's buffer.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static FileStream Open(string path, Func<string, Exception?, Exception>? error = null, int bufferSize = 4096)
    {
        error ??= (problem, cause) => Wrong(path, problem, cause);
        try
        {
            CheckRegular(path, error);
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize);
            try
            {
                if (!file.CanSeek)
                    throw error("it is a device or a pipe, not a file.", null);
                CheckPointer(file, error);
                return file;
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileNotFoundException($"There is no file {path}.", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw error($"it cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <param name="error">Makes an exception of what is wrong, see <see cref="Open"/>.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static byte[] ReadBytes(string path, int limit, Func<string, Exception?, Exception>? error = null)
    {
        error ??= (problem, cause) => Wrong(path, problem, cause);
        using var file = Open(path, error, bufferSize: 0);
        if (file.Length > limit)
            throw error($"it has {file.Length} bytes; at most {limit} are read.", null);
        try
        {
            return file.ReadClaimed((int)file.Length);
        }
        catch (IOException e)
        {
            throw error($"it cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads a text in UTF-8, or in UTF-16 where the file begins with its mark.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CheckpointException">The file is no text, or too long; the message names it.</exception>
    public static string ReadText(string path, int limit = Limits.TextBytes) => Utf8Text.Decode(ReadBytes(path, limit), path);

    /// <summary>Reads a JSON value.</summary>
    /// <inheritdoc cref="ReadText"/>
    public static JsonElement ReadJson(string path, int limit = Limits.TextBytes) => Utf8Text.ParseJson(ReadBytes(path, limit), path);

    // A device or a pipe has no length, and opening a pipe may wait for ever; so what has no length is not opened.
    private static void CheckRegular(string path, Func<string, Exception?, Exception> error)
    {
        var file = File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path);
        if (Directory.Exists(file.FullName))
            throw error("it is a folder, not a file.", null);
        if (!file.Exists && file.FullName != Path.GetFullPath(path))
            throw error($"it is a link to {file.FullName}, which is not there.", null);
        if (new FileInfo(file.FullName).Length == 0)
            throw error("it is empty, or no file but a device or a pipe.", null);
    }

    /// <summary>What is wrong with a pointer of Git LFS; null where the first bytes are of something else.</summary>
    /// <param name="start">The first bytes of what should be a file.</param>
    /// <param name="what">What the file should be.</param>
    public static string? PointerProblem(ReadOnlySpan<byte> start, string what = "file") => start.StartsWith(PointerStart)
        ? $"it is a pointer of Git LFS, which stands for the {what} and is not the {what} itself. Run 'git lfs pull' in the folder that was cloned, or download the {what}."
        : null;

    private static void CheckPointer(FileStream file, Func<string, Exception?, Exception> error)
    {
        if (file.Length >= LongestPointer)
            return;
        Span<byte> start = stackalloc byte[PointerStart.Length];
        var read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (PointerProblem(start[..read]) is { } problem)
            throw error(problem, null);
        file.Position = 0;
    }

    private static CheckpointException Wrong(string path, string problem, Exception? cause) =>
        cause is null ? new($"{path} cannot be read: {problem}") : new($"{path} cannot be read: {problem}", cause);
}
