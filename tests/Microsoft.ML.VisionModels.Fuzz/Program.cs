using System.Globalization;
using System.Text.Json;
using Microsoft.ML.VisionModels.Fuzz;

// dotnet run --project tests/Microsoft.ML.VisionModels.Fuzz -c Release -- --seconds 3600
//
// Damages sound files and reads them, with every reader of files there is (see Readers/): no exception but the documented ones, no more
// than 2 s, no more than 200 MB beyond what the sound file takes. Prints what was wrong, how to do it again, and figures by reader.

Microsoft.ML.VisionModels.TorchRuntime.EnsureAvailable();
var (seconds, cases, seed, first) = (60.0, int.MaxValue, 1, 0);
string? worker = null, input = null;
var failures = Path.Combine(Path.GetTempPath(), "fuzz-failures");
List<Reader> readers = [];
for (var i = 0; i + 1 < args.Length; i += 2)
{
    var value = args[i + 1];
    switch (args[i])
    {
        case "--seconds": seconds = double.Parse(value, CultureInfo.InvariantCulture); break;
        case "--files": (cases, seconds) = (int.Parse(value, CultureInfo.InvariantCulture), args.Contains("--seconds") ? seconds : double.PositiveInfinity); break;
        case "--seed": seed = int.Parse(value, CultureInfo.InvariantCulture); break;
        case "--case": first = int.Parse(value, CultureInfo.InvariantCulture); break;
        case "--reader": readers.Add(Reader.All.First(reader => reader.Name == value)); break;
        case "--try": input = value; break;
        case "--keep": failures = value; break;
        case "--worker": worker = value; break;
        default: throw new ArgumentException($"'{args[i]}' is not known; there are --seconds, --files, --seed, --reader, --case, --try and --keep.");
    }
}

if (input is not null)
{
    var result = Worker.Try(readers.Single(), 0, input, 0);
    Console.WriteLine($"{result.Outcome}, {result.Milliseconds:0} ms, {result.Megabytes:0} MB {result.Problem}");
    return 0;
}

if (worker is not null)
{
    TorchSharp.torch.set_num_threads(1);
    var tried = new Worker(worker, failures, seed, result => Console.WriteLine(JsonSerializer.Serialize(result)));
    foreach (var reader in readers)
    {
        Console.WriteLine($"> {reader.Name}");
        tried.Try(reader, first, cases, seconds);
        first = 0;
    }
    return 0;
}

if (readers.Count == 0)
    readers.AddRange(Reader.All);
var work = Directory.CreateTempSubdirectory("fuzz-").FullName;
try
{
    return new Campaign(work, failures, seed, first, cases == int.MaxValue ? cases : (cases + readers.Count - 1) / readers.Count, seconds / readers.Count).Run(readers) ? 0 : 1;
}
finally
{
    Directory.Delete(work, recursive: true);
}
