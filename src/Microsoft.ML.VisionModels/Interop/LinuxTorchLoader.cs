using System.Runtime.InteropServices;

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>
/// Loads TorchSharp's native library on Linux distributions whose libstdc++ is older than GCC 13.2 (Debian 12, Ubuntu 22.04, RHEL 9).
/// </summary>
/// <remarks>
/// TorchSharp 0.107.0's library asks for the symbol version GLIBCXX_3.4.32, but no relocation uses the one symbol behind it.
/// A copy in which that need is marked weak loads, and TorchSharp, which asks for the library by name, is then given it.
/// The copy lives in anonymous memory (memfd), so that nothing is written where another user could reach it.
/// </remarks>
internal static partial class LinuxTorchLoader
{
    private const string TorchSharpLibrary = "libLibTorchSharp.so";
    private const string UnusedVersion = "GLIBCXX_3.4.32";
    private const uint CloseOnExec = 1;

    /// <summary>Loads the library, and returns null, or what went wrong.</summary>
    public static string? Load(Func<string, string?> find)
    {
        if (find(TorchSharpLibrary) is not { } library)
            return null; // TorchSharp may know a place of its own; its absence is reported on first use.

        // What the copy in memory cannot find beside itself.
        foreach (var dependency in (string[])["libc10.so", "libtorch_cpu.so", "libtorch.so"])
        {
            if (find(dependency) is { } path)
                NativeLibrary.TryLoad(path, out _);
        }

        try
        {
            NativeLibrary.Load(library);
            return null;
        }
        catch (DllNotFoundException e) when (e.Message.Contains(UnusedVersion, StringComparison.Ordinal))
        {
            return LoadWeakened(library);
        }
        catch (DllNotFoundException e)
        {
            return e.Message;
        }
    }

    private static string? LoadWeakened(string library)
    {
        try
        {
            var image = File.ReadAllBytes(library);
            ElfVersionNeeds.Weaken(image, UnusedVersion);

            var descriptor = CreateMemoryFile("LibTorchSharp", CloseOnExec);
            if (descriptor < 0)
                return $"This system's libstdc++ lacks {UnusedVersion}, and memfd_create, which would help, failed with error {Marshal.GetLastPInvokeError()}.";
            using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: true);
            RandomAccess.Write(handle, image, 0);
            NativeLibrary.Load($"/proc/self/fd/{descriptor}");
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or BadImageFormatException or DllNotFoundException or ArgumentException or OverflowException)
        {
            return $"This system's libstdc++ lacks {UnusedVersion}, and loading {library} without it failed: {e.Message}";
        }
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int CreateMemoryFile(string name, uint flags);
}
