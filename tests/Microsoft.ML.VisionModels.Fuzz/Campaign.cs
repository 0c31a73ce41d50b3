using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Microsoft.ML.VisionModels.Fuzz;

/// <summary>Tries the readers one after the other in a process that is started again where it ends, and sums up.</summary>
internal sealed class Campaign(string work, string failures, int seed, int first, int cases, double seconds)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly List<Result> _results = [];
    private int _deaths;

    /// <returns>Whether all is well.</returns>
    public bool Run(IReadOnlyList<Reader> readers)
    {
        foreach (var reader in readers)
            Prepare(reader);
        var (index, next) = (0, first);
        while (index < readers.Count)
            (index, next) = Continue(readers, index, next);
        Report(readers);
        return !_results.Exists(result => result.Problem.Length > 0);
    }

    private void Prepare(Reader reader) => reader.Prepare(Directory.CreateDirectory(Path.Combine(work, reader.Name)).FullName);

    /// <summary>Runs a worker until it is done or dead, and returns where to go on.</summary>
    private (int Reader, int Case) Continue(IReadOnlyList<Reader> readers, int index, int start)
    {
        string[] arguments = ["--worker", work, "--keep", failures, "--seed", $"{seed}", "--files", $"{cases}", "--seconds", seconds.ToString(CultureInfo.InvariantCulture), "--case", $"{start}", .. readers.Skip(index).SelectMany(reader => new[] { "--reader", reader.Name })];
        using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", typeof(Campaign).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            // Where the first generation is as large as a big processor's cache, garbage would look like need.
            Environment = { ["DOTNET_GCgen0size"] = "0x2000000" },
        })!;
        var (current, next) = (index, start);
        while (process.StandardOutput.ReadLineAsync() is var line)
        {
            if (!line.Wait(s_patience))
            {
                process.Kill(entireProcessTree: true);
                return Lost(readers[current], next, "hung", $"took more than {s_patience.TotalSeconds} s");
            }
            if (line.Result is null)
                break;
            if (line.Result.StartsWith("> ", StringComparison.Ordinal))
            {
                (current, next) = (readers.Index().First(entry => entry.Item.Name == line.Result[2..]).Index, current == index ? start : 0);
                continue;
            }
            if (!line.Result.StartsWith('{'))
                continue;
            var result = JsonSerializer.Deserialize<Result>(line.Result)!;
            (current, next) = (readers.Index().First(entry => entry.Item.Name == result.Reader).Index, result.Case + 1);
            Add(result);
            _deaths = 0;
        }
        process.WaitForExit();
        if (process.ExitCode == 0)
            return (readers.Count, 0);
        return Lost(readers[current], next, "died", $"ended the process with code {process.ExitCode}");

        (int, int) Lost(Reader reader, int number, string outcome, string problem)
        {
            if (++_deaths == 5)
                throw new InvalidOperationException($"The process of the reader '{reader.Name}' ended five times without a result, the last time it {problem}.");
            // What it read when it ended is still there.
            Worker.Keep(failures, reader.Name, number, Path.Combine(work, reader.Name));
            Directory.Delete(Path.Combine(work, reader.Name), recursive: true);
            Prepare(reader);
            Add(new(reader.Name, number, 0, 0, outcome, problem));
            return (current, number + 1);
        }
    }

    private void Add(Result result)
    {
        _results.Add(result);
        if (result.Problem.Length == 0)
            return;
        Console.WriteLine($"""
            {result.Reader}, case {result.Case}: {result.Problem}
              again: dotnet run --project tests/Microsoft.ML.VisionModels.Fuzz -- --reader "{result.Reader}" --seed {seed} --case {result.Case} --files {result.Case + 1}
              or:    dotnet run --project tests/Microsoft.ML.VisionModels.Fuzz -- --reader "{result.Reader}" --try "{Worker.PlaceOf(failures, result.Reader, result.Case)}"
            """);
    }

    private void Report(IReadOnlyList<Reader> readers)
    {
        Console.WriteLine("\n| reader | files | read | refused | problems | slowest, ms | most memory, MB |\n|---|---|---|---|---|---|---|");
        foreach (var reader in readers)
            Row(reader.Name, [.. _results.Where(result => result.Reader == reader.Name)]);
        Row("**all**", _results);
    }

    private static void Row(string name, IReadOnlyCollection<Result> results)
    {
        var refused = results.Where(result => result.Outcome != "read").GroupBy(result => result.Outcome).OrderByDescending(group => group.Count()).Select(group => $"{group.Count()} {group.Key}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {results.Count} | {results.Count(result => result.Outcome == "read")} | {string.Join(", ", refused)} | {results.Count(result => result.Problem.Length > 0)} | {results.Select(result => result.Milliseconds).DefaultIfEmpty().Max():0} | {results.Select(result => result.Megabytes).DefaultIfEmpty().Max():0} |"));
    }
}
