using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>A study as comma-separated values.</summary>
internal static class StudyCsv
{
    public static string Of(SweepHistory history)
    {
        var names = history.Space.Branches.SelectMany(branch => branch.Dimensions).Select(dimension => dimension.Name).Distinct().ToArray();
        IEnumerable<string> header = ["number", "candidate", "state", "score", "epochs", "held-out score", "seconds", .. names, "error"];
        return string.Concat(history.Trials.Select(Row).Prepend(Line(header)));

        string Row(SweepTrial trial) => Line(
        [
            Text(trial.Number), trial.Candidate, trial.State.ToString(), Text(trial.Score), Text(trial.Epochs.Count), Text(trial.Epochs.LastOrDefault()?.Score), Text(Math.Round(trial.Duration.TotalSeconds, 2)),
            .. names.Select(name => Text(trial.Parameters.GetValueOrDefault(name))), trial.Error ?? "",
        ]);
    }

    private static string Line(IEnumerable<string> cells) => string.Join(',', cells.Select(Quoted)) + "\n";

    private static string Quoted(string cell) => cell.AsSpan().IndexOfAny("\",\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}
