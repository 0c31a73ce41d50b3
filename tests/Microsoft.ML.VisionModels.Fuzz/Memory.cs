using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.VisionModels.Fuzz;

/// <summary>The resident memory of this process, in MB, and its peak since the last start.</summary>
internal static class Memory
{
    private const string Status = "/proc/self/status", Clear = "/proc/self/clear_refs";

    /// <summary>Starts anew, and returns what is resident now.</summary>
    public static double Start()
    {
        // Garbage of earlier cases is not this one's.
        if (GC.GetTotalMemory(forceFullCollection: false) > 64 << 20)
            GC.Collect();
        if (!File.Exists(Clear))
            return Peak();
        File.WriteAllText(Clear, "5");
        return Read("VmRSS:");
    }

    public static double Peak()
    {
        if (File.Exists(Status))
            return Read("VmHWM:");
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / 1e6;
    }

    private static double Read(string key) => File.ReadLines(Status).Where(line => line.StartsWith(key, StringComparison.Ordinal))
        .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024 / 1e6).First();
}
