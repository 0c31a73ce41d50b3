using System.Diagnostics;

namespace Microsoft.ML.VisionModels.Fuzz;

/// <summary>What a case came to.</summary>
/// <param name="Reader">The reader's name.</param>
/// <param name="Case">The case's number.</param>
/// <param name="Milliseconds">How long the reader took.</param>
/// <param name="Megabytes">By how much memory grew, beyond what it does for the sound input.</param>
/// <param name="Outcome">"read", or the type of the exception.</param>
/// <param name="Problem">What must not be; empty where all is well.</param>
internal sealed record Result(string Reader, int Case, double Milliseconds, double Megabytes, string Outcome, string Problem);

/// <summary>
/// Tries readers, in a process of its own, as one of them could end it. The damaged input of the case under way lies in the reader's
/// folder, and each result is told at once.
/// </summary>
internal sealed class Worker(string folder, string failures, int seed, Action<Result> tell)
{
    public const double MostMilliseconds = 2000, MostMegabytes = 200;

    private const double StuckMilliseconds = 15_000;

    /// <summary>Tries a reader from a case on, for so many cases or seconds.</summary>
    public void Try(Reader reader, int first, int cases, double seconds)
    {
        var inputs = Directory.GetDirectories(Path.Combine(folder, reader.Name)).Order(StringComparer.Ordinal).ToArray();
        var sound = inputs.ToDictionary(input => input, input => Sound(reader, input));
        var clock = Stopwatch.StartNew();
        for (var i = first; i < cases && clock.Elapsed.TotalSeconds < seconds; i++)
        {
            var random = new Random(HashCode(reader.Name, i));
            var input = inputs[random.Next(inputs.Length)];
            var files = Directory.GetFiles(input, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
            var file = files[random.Next(files.Length)];
            var whole = File.ReadAllBytes(file);
            File.WriteAllBytes(file, new Mutator(random).Mutate(whole, Path.GetFileName(file)));
            var result = Try(reader, i, input, sound[input]);
            if (result.Problem.Length > 0)
                Keep(failures, reader.Name, i, input);
            File.WriteAllBytes(file, whole);
            tell(result);
        }
    }

    /// <summary>Tries one input as it is.</summary>
    public static Result Try(Reader reader, int number, string input, double soundMegabytes)
    {
        var result = Once(reader, number, input, soundMegabytes);
        // What is compiled takes time once, and the collector's garbage is no one's: what is too much must be so again.
        for (var again = 0; again < 2 && result.Problem.StartsWith("took", StringComparison.Ordinal) && result.Milliseconds < StuckMilliseconds; again++)
            result = Once(reader, number, input, soundMegabytes);
        return result;
    }

    /// <summary>Keeps an input that should have been read or refused.</summary>
    public static void Keep(string failures, string reader, int number, string input)
    {
        var kept = PlaceOf(failures, reader, number);
        foreach (var file in Directory.EnumerateFiles(input, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(kept, Path.GetRelativePath(input, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
    }

    public static string PlaceOf(string failures, string reader, int number) => Path.Combine(failures, $"{reader} {number}");

    /// <summary>What reading a sound input takes, when everything is compiled.</summary>
    private static double Sound(Reader reader, string input)
    {
        reader.Read(input);
        reader.Read(input);
        var start = Memory.Start();
        reader.Read(input);
        return Memory.Peak() - start;
    }

    private static Result Once(Reader reader, int number, string input, double soundMegabytes)
    {
        var start = Memory.Start();
        using var process = Process.GetCurrentProcess();
        var (clock, processor) = (Stopwatch.StartNew(), process.TotalProcessorTime);
        var (outcome, problem) = ("read", "");
        try
        {
            reader.Read(input);
        }
        catch (Exception e)
        {
            outcome = e.GetType().Name;
            if (!reader.Allows(e))
                problem = $"threw {e}";
        }
        var milliseconds = clock.Elapsed.TotalMilliseconds;
        process.Refresh();
        // Where others have the processor, waiting for it is not the reader's time, but a reader that does nothing for long is stuck.
        if (milliseconds < StuckMilliseconds)
            milliseconds = Math.Min(milliseconds, (process.TotalProcessorTime - processor).TotalMilliseconds);
        var megabytes = Math.Max(0, Memory.Peak() - start - soundMegabytes);
        if (problem.Length == 0 && milliseconds > MostMilliseconds)
            problem = $"took {milliseconds:0} ms";
        if (problem.Length == 0 && megabytes > MostMegabytes)
            problem = $"took {megabytes:0} MB";
        return new(reader.Name, number, milliseconds, megabytes, outcome, problem);
    }

    // string.GetHashCode differs from process to process.
    private int HashCode(string name, int number) => name.Aggregate(unchecked(seed * 1_000_003 + number), (hash, c) => unchecked(hash * 31 + c));
}
