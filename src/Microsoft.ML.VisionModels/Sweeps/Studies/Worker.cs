using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.VisionModels.Sweeps.Studies;

/// <summary>Who runs trials: a sweep in a process on a machine.</summary>
internal static class Worker
{
    /// <summary>A name for a sweep of this process: machine, where its process numbers count, its number, when it began, and the sweep's own part.</summary>
    public static string NewName() => string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Scope()}/{Environment.ProcessId}/{Began(Environment.ProcessId)}/{Guid.NewGuid():N}");

    /// <summary>Whether a worker is known to be gone: its process was of this machine, and is no more. Elsewhere one can only wait.</summary>
    public static bool IsGone(string worker)
    {
        var parts = worker.Split('/');
        if (parts.Length < 5 || parts[1] != Scope() || !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return false;
        try
        {
            using var process = Process.GetProcessById(id);
            // Process numbers are given out again.
            return Began(id) != parts[3];
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    /// <summary>Where a process number means this process: containers may share a machine and its name, and each counts for itself.</summary>
    private static string Scope() => !OperatingSystem.IsLinux() ? Environment.MachineName
        : $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()}.{new FileInfo("/proc/self/ns/pid").LinkTarget}";

    /// <summary>When a process began, in ticks since the machine did; nothing where this cannot be told for sure.</summary>
    private static string Began(int id)
    {
        if (!OperatingSystem.IsLinux())
            return "";
        try
        {
            // The process's name, in parentheses, may hold anything; the beginning is the twentieth word after it.
            var text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ')[19];
        }
        catch (IOException)
        {
            return "gone";
        }
    }
}
