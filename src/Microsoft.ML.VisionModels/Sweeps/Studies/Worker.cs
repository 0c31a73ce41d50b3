using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>Who runs a trial: a process on a machine.</summary>
internal static class Worker
{
    /// <summary>This process: machine, process number, and when it began in seconds since 1970, as process numbers are given out again.</summary>
    public static string Name { get; } = NameOf(Process.GetCurrentProcess());

    /// <summary>Whether a worker is known to be gone: it was on this machine and its process is no more.</summary>
    public static bool IsGone(string worker)
    {
        var parts = worker.Split('/');
        if (parts.Length < 3 || parts[0] != Environment.MachineName || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return false;
        try
        {
            // When a process began is told to about a second.
            using var process = Process.GetProcessById(id);
            return Math.Abs(Began(process) - long.Parse(parts[2], CultureInfo.InvariantCulture)) > 5;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    private static string NameOf(Process process) => string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{process.Id}/{Began(process)}");

    private static long Began(Process process) => new DateTimeOffset(process.StartTime).ToUnixTimeSeconds();
}
