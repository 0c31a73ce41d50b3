using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// The memory of images that are being decoded and resized, of all threads together, as memory is the process's. A small file can claim
/// to be a large image, and a batch has many.
/// </summary>
internal static class ImageMemory
{
    private static readonly object s_lock = new();
    private static long s_held;

    /// <summary>In bytes.</summary>
    public static long Limit { get; set; } = (long)Limits.ImageMegabytesInFlight << 20;

    /// <summary>Waits until there is so much memory, or until no other image holds any; it is held until the result is disposed of.</summary>
    public static IDisposable Hold(long bytes)
    {
        lock (s_lock)
        {
            while (s_held > 0 && s_held + bytes > Limit)
                Monitor.Wait(s_lock);
            s_held += bytes;
        }
        // What an earlier image of this size left behind is memory too, until the collector looks, which it does not do by itself in time.
        if (bytes > Limit / 4)
            GC.Collect();
        return new Held(bytes);
    }

    private sealed class Held(long bytes) : IDisposable
    {
        public void Dispose()
        {
            lock (s_lock)
            {
                s_held -= bytes;
                Monitor.PulseAll(s_lock);
            }
        }
    }
}
