using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.VisionModels.Sweeps.Studies;

/// <summary>Names of workers, which run trials. A worker is a sweep in a process on a machine.</summary>
internal static class Worker
{
    /// <summary>A name for a sweep of this process. It consists of the machine, the scope of process ids, the process id, the start time of the process, and a part that is unique to the sweep.</summary>
    public static string NewName() => string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Scope()}/{Environment.ProcessId}/{StartTimeOf(Environment.ProcessId)}/{Guid.NewGuid():N}");

    /// <summary>Whether a worker of this machine is gone because its process has ended. Of workers on other machines this cannot be known.</summary>
    public static bool IsGone(string worker)
    {
        var parts = worker.Split('/');
        if (parts.Length < 5 || parts[1] != Scope() || !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return false;
        try
        {
            using var process = Process.GetProcessById(id);
            // Another process may have the same id now, but not the same start time.
            return StartTimeOf(id) != parts[3];
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    /// <summary>The scope in which a process id is unique. Containers may share a machine and its name, but each has process ids of its own.</summary>
    private static string Scope() => !OperatingSystem.IsLinux() ? Environment.MachineName
        : $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()}.{new FileInfo("/proc/self/ns/pid").LinkTarget}";

    /// <summary>The start time of a process, in ticks since the machine was booted; empty where it cannot be known for sure.</summary>
    private static string StartTimeOf(int id)
    {
        if (!OperatingSystem.IsLinux())
            return "";
        try
        {
            // The name of the process, in parentheses, may contain any characters. The start time is the twentieth field after it.
            var text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ')[19];
        }
        catch (IOException)
        {
            return "gone";
        }
    }
}
