using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps;
using Microsoft.ML.VisionModels.Sweeps.Report;
using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels;

/// <summary>A study as it stood when it was read: its trials and what they searched.</summary>
public sealed class SweepStudy
{
    private readonly SweepHistory _history;

    internal SweepStudy(StudyStore store) => (Name, Metric, _history) = (store.Name, store.Metric, store.History());

    /// <summary>The study's name.</summary>
    public string Name { get; }

    /// <summary>The name of the metric.</summary>
    public string Metric { get; }

    /// <summary>Whether a high score is a good one.</summary>
    public bool HigherIsBetter => _history.HigherIsBetter;

    /// <summary>All trials, by number.</summary>
    public IReadOnlyList<SweepTrial> Trials => _history.Trials;

    /// <summary>The best complete trial; where none is, the best of those that were stopped. Null where no trial has a score.</summary>
    public SweepTrial? Best => _history.Best;

    internal SweepHistory History => _history;

    /// <summary>Reads a stored study, which may be in use.</summary>
    /// <param name="storage">The path of a SQLite file, or a PostgreSQL connection.</param>
    /// <param name="name">The study's name.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidOperationException">There is no such study.</exception>
    public static SweepStudy Read(string storage, string name = "sweep")
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(storage);
        if (Database.IsFile(storage) && !File.Exists(storage))
            throw new FileNotFoundException($"There is no study in {storage}: the file is not there.", storage);
        using var store = StudyStore.Open(storage, name);
        return new(store);
    }

    /// <summary>
    /// Writes an HTML page that needs nothing but itself: the best so far over time, the learning curves of all trials, how much
    /// each hyper-parameter matters, the score over each and over all of them, and a table.
    /// </summary>
    public void WriteReport(string path) => StudyPage.Write(this, path);

    /// <summary>Writes the trials as comma-separated values, one row a trial: number, candidate, state, score, epochs, held-out score (how the training stood at last), seconds, and a column for each hyper-parameter.</summary>
    public void WriteCsv(string path) => Core.AtomicFile.WriteText(path, StudyCsv.Of(_history));
}
