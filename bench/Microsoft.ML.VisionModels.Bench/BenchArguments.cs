using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>The command line: what to measure, and --name value pairs.</summary>
internal sealed class BenchArguments
{
    private readonly Dictionary<string, string> _values = [];

    public BenchArguments(string[] words)
    {
        What = words.FirstOrDefault(word => !word.StartsWith("--", StringComparison.Ordinal)) ?? string.Empty;
        for (var i = What.Length > 0 ? 1 : 0; i < words.Length; i += 2)
        {
            if (!words[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == words.Length)
                throw new ArgumentException($"'{words[i]}' is not an option with a value (--name value).");
            _values[words[i][2..]] = words[i + 1];
        }
    }

    /// <summary>The command.</summary>
    public string What { get; }

    /// <summary>How often each side has its turn.</summary>
    public int Rounds => Number("rounds", 9);

    /// <summary>The numbers of threads to measure with.</summary>
    public int[] Threads => Numbers("threads", "1,2");

    /// <summary>The batch sizes to measure with.</summary>
    public int[] Batches(string otherwise) => Numbers("batch", otherwise);

    /// <summary>A whole number.</summary>
    public int Number(string name, int otherwise) => _values.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    public string Text(string name, string otherwise) => _values.GetValueOrDefault(name, otherwise);

    /// <summary>A file or folder: the one given, or what "prepare" wrote under this name.</summary>
    public string Place(string name, string prepared)
    {
        var place = Text(name, Path.Combine(Text("data", Repository.Data), prepared));
        return File.Exists(place) || Directory.Exists(place)
            ? place
            : throw new ArgumentException($"{place} is not here; give --{name}, or write it first: see bench/README.md.");
    }

    private int[] Numbers(string name, string otherwise) => [.. Text(name, otherwise).Split(',').Select(int.Parse)];
}
