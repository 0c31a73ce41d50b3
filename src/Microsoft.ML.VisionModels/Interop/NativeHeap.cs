using System.Runtime.InteropServices;

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>
/// While one is held, the C library keeps memory that a training step frees for the next step. Left alone, glibc gives it back to the
/// system and asks for it again, and a fifth of a small network's training goes into page faults. Without effect on other systems.
/// </summary>
internal sealed partial class NativeHeap : IDisposable
{
    // malloc.h: the free memory at the heap's end above which it is given back, and the size from which a block is a mapping of its own.
    private const int TrimThreshold = -1, MmapThreshold = -3;
    private const int Kept = 1 << 30, LargestInHeap = 32 << 20;

    // What glibc comes to by itself in a process that uses large blocks.
    private const int KeptByDefault = 2 * LargestInHeap;

    private static int s_holders;

    private NativeHeap()
    {
    }

    public static NativeHeap Keep()
    {
        if (Interlocked.Increment(ref s_holders) == 1)
            Set(Kept);
        return new NativeHeap();
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref s_holders) > 0)
            return;
        Set(KeptByDefault);
        if (OperatingSystem.IsLinux())
            Try(() => Trim(0));
    }

    private static void Set(int trimThreshold)
    {
        if (OperatingSystem.IsLinux())
            Try(() => Option(MmapThreshold, LargestInHeap) * Option(TrimThreshold, trimThreshold));
    }

    private static void Try(Func<int> call)
    {
        try
        {
            call();
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library, such as musl.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int Option(int name, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint kept);
}
