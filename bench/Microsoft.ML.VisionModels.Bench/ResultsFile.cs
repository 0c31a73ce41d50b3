using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>What was measured of both sides in one run; less is better in every unit.</summary>
internal sealed record Result(string Benchmark, string Ours, string Peer, string Unit, double OursValue, double PeerValue, int Threads, int Batch)
{
    /// <summary>How many times less ours takes than the peer: above 1, ours is ahead.</summary>
    public double Ratio => PeerValue / OursValue;
}

/// <summary>bench/results.csv: the latest result of every comparison.</summary>
internal sealed partial class ResultsFile(string path, string command)
{
    private const string Header = "date,benchmark,ours,peer,unit,ours value,peer value,ratio,threads,batch,command";

    /// <summary>Prints a result and puts it in the place of the one that the same comparison gave before.</summary>
    public void Add(Result result)
    {
        Console.WriteLine(FormattableString.Invariant($"  {result.Unit,-8} ours {result.OursValue,10:F2}  peer {result.PeerValue,10:F2}  ratio {result.Ratio:G3}"));

        var rows = File.Exists(path) ? File.ReadAllLines(path).Skip(1).ToList() : [];
        rows.RemoveAll(row => Comparison(row) == Comparison(Row(result)));
        rows.Add(Row(result));
        var temporary = path + ".tmp";
        File.WriteAllLines(temporary, [Header, .. rows.OrderBy(Comparison, StringComparer.Ordinal)]);
        File.Move(temporary, path, overwrite: true);
    }

    private string Row(Result r) => string.Create(CultureInfo.InvariantCulture,
        $"{DateTime.UtcNow:yyyy-MM-dd},{Quoted(r.Benchmark)},{Quoted(r.Ours)},{Quoted(r.Peer)},{r.Unit},{r.OursValue:F2},{r.PeerValue:F2},{r.Ratio:G3},{r.Threads},{r.Batch},\"{command}\"");

    private static string Quoted(string name) => name.Contains(',') ? $"\"{name}\"" : name;

    /// <summary>What a row compares: all but the date, the values and the command.</summary>
    private static string Comparison(string row)
    {
        var columns = Column().Matches(row);
        return string.Join(',', new[] { 1, 8, 9, 2, 3, 4 }.Select(column => columns[column].Value));
    }

    [GeneratedRegex("""(?<=^|,)("[^"]*"|[^,"]*)(?=,|$)""")]
    private static partial Regex Column();
}
