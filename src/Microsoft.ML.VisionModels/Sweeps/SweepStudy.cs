using System.Globalization;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps.Report;
using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels;

/// <summary>The state of a study when it was read: its trials, and the space that they search.</summary>
public sealed class SweepStudy
{
    private readonly SweepHistory _history;

    internal SweepStudy(StudyStore store) => (Name, Metric, _history) = (store.Name, store.Metric, store.History());

    /// <summary>The study's name.</summary>
    public string Name { get; }

    /// <summary>The name of the metric.</summary>
    public string Metric { get; }

    /// <summary>Whether higher scores are better.</summary>
    public bool HigherIsBetter => _history.HigherIsBetter;

    /// <summary>All trials, by number.</summary>
    public IReadOnlyList<SweepTrial> Trials => _history.Trials;

    /// <summary>The best complete trial; where no trial is complete, the best of those that were stopped. Null where no trial has a score.</summary>
    public SweepTrial? Best => _history.Best;

    internal SweepHistory History => _history;

    /// <summary>Reads a stored study. Workers may be using it, and its file and folder need not be writable.</summary>
    /// <param name="storage">The path of a SQLite file, or a PostgreSQL connection.</param>
    /// <param name="name">The study's name.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidOperationException">There is no such study.</exception>
    /// <exception cref="InvalidDataException">The study is damaged, or the file is no study; the message names it.</exception>
    public static SweepStudy Read(string storage, string name = "sweep")
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(storage);
        if (Database.IsFile(storage) && !Path.Exists(storage))
            throw new FileNotFoundException($"There is no study in {storage}: the file is not there.", storage);
        using var store = StudyStore.Open(storage, name);
        return new(store);
    }

    /// <summary>
    /// Writes a self-contained HTML page: the best score over time, the learning curves of all trials, the importance of the
    /// hyper-parameters, the score over each of them and over all of them, and a table.
    /// </summary>
    public void WriteReport(string path) => StudyPage.Write(this, path);

    /// <summary>Writes the trials as comma-separated values, one row for each trial: number, candidate, state, score, epochs, held-out score (of the last epoch), seconds, a column for each hyper-parameter, and the error.</summary>
    public void WriteCsv(string path) => AtomicFile.WriteText(path, ToCsv(_history));

    private static string ToCsv(SweepHistory history)
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
