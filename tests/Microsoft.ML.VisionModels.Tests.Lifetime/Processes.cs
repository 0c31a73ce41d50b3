using System.Diagnostics;

namespace Microsoft.ML.VisionModels.Tests.Lifetime;

/// <summary>Runs scenarios in processes of their own, some at once, and counts how these end.</summary>
internal static class Processes
{
    public static int Run(int count)
    {
        var names = Scenarios.Names;
        var ends = new (string Name, int Code, string Output)[count];
        Parallel.For(0, count, new() { MaxDegreeOfParallelism = Math.Max(2, Environment.ProcessorCount / 2) }, i =>
        {
            var name = names[i % names.Count];
            var (code, output) = RunOne(name);
            ends[i] = (name, code, output);
            if (code != 0)
                Console.WriteLine($"{name} ended with {code}: {output}");
        });

        Console.WriteLine("| scenario | processes | ended well | by a signal | otherwise |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var group in ends.GroupBy(end => end.Name))
            Console.WriteLine($"| {group.Key} | {Counts([.. group])} |");
        Console.WriteLine($"| all | {Counts(ends)} |");
        return ends.All(end => end.Code == 0) ? 0 : 1;
    }

    private static string Counts((string Name, int Code, string Output)[] ends) =>
        $"{ends.Length} | {ends.Count(end => end.Code == 0)} | {ends.Count(end => end.Code > 128)} | {ends.Count(end => end.Code is > 0 and <= 128 or < 0)}";

    private static (int Code, string Output) RunOne(string name)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [name]) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Enough of each other: the processes share the cores.
        start.Environment["OMP_NUM_THREADS"] = start.Environment["MKL_NUM_THREADS"] = "1";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, $"{output.Trim()} {string.Join(' ', errors.Result.Split('\n').Take(3))}".Trim());
    }
}
