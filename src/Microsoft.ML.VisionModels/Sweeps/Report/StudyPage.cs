using System.Globalization;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Reports;
using Microsoft.ML.VisionModels.Sweeps.Spaces;
using static Microsoft.ML.VisionModels.Reports.Html;

namespace Microsoft.ML.VisionModels.Sweeps.Report;

/// <summary>A study as one HTML page that needs nothing but itself.</summary>
internal static class StudyPage
{
    private const int MostRows = 100;

    public static void Write(SweepStudy study, string path) => AtomicFile.WriteText(path, Of(study));

    public static string Of(SweepStudy study)
    {
        var history = study.History;
        var scored = history.Ranked.Where(trial => history.Shown(trial) is not null).ToArray();
        return Page("Hyper-parameter search", study.Name, Style, $"""
            {Overview(study)}
            {(scored.Length == 0 ? "" : Section("The best so far", $"Each dot is a trial when it was over; the line is the best {study.Metric} until then. Trials that were ended early are hollow, and stand where their training stood.", BestSoFar(study, scored)))}
            {Curves(study)}
            {string.Concat(history.Space.Branches.Select(branch => Branch(study, branch, [.. scored.Where(trial => trial.Candidate == branch.Name)])))}
            {Section("Trials", history.Trials.Count > MostRows ? $"The best {MostRows} of {history.Trials.Count}." : "", Table(study))}
            """);
    }

    /// <summary>A trial in a line.</summary>
    public static string Describe(SweepTrial trial) => string.Create(CultureInfo.InvariantCulture,
        $"trial {trial.Number}, {trial.Candidate}: {Axis.Text(trial.Score ?? trial.Epochs.LastOrDefault()?.Score)} ({trial.State}); {string.Join(", ", trial.Parameters.Select(parameter => $"{parameter.Key} {Axis.Text(parameter.Value)}"))}");

    private static string Overview(SweepStudy study)
    {
        var counts = study.Trials.CountBy(trial => trial.State).OrderBy(count => count.Key).Select(count => $"{count.Value} {count.Key.ToString().ToLowerInvariant()}");
        var time = TimeSpan.FromSeconds(study.Trials.Sum(trial => trial.Duration.TotalSeconds));
        string[] best = study.Best is { } trial
            ?
            [
                Card(Axis.Text(trial.Score), $"{study.Metric}, the best", $"trial {trial.Number}, {trial.Candidate}", "hero"),
                $"<div class='card'>{Pairs("Its hyper-parameters", trial.Parameters.OrderBy(parameter => parameter.Key, StringComparer.Ordinal).Select(parameter => (parameter.Key, Axis.Text(parameter.Value))))}</div>",
            ]
            : [Card("–", "no trial has a score yet", "", "hero")];
        return Headline([.. best, Card($"{study.Trials.Count}", "trials", string.Join(", ", counts)), Card(Duration(time), "of work", "all trials together")]);
    }

    private static string BestSoFar(SweepStudy study, SweepTrial[] scored)
    {
        var first = study.Trials.Min(trial => trial.Started ?? DateTimeOffset.MaxValue);
        var points = scored.Where(trial => trial.Started is not null)
            .Select(trial => (Trial: trial, Minutes: (trial.Started!.Value - first + trial.Duration).TotalMinutes)).OrderBy(point => point.Minutes).ToArray();
        var plot = new Plot(Axis.Of("minutes", points.Select(point => point.Minutes), from: 0), Axis.Of(study.Metric, scored.Select(trial => Shown(study, trial))), width: 900);
        var line = new List<(double, double)>();
        double? best = null;
        foreach (var (trial, minutes) in points.Where(point => point.Trial.State == SweepTrialState.Complete))
        {
            if (best is { } before && !IsBetter(trial.Score!.Value, before))
                continue;
            if (best is not null)
                line.Add((minutes, best.Value));
            line.Add((minutes, trial.Score!.Value));
            best = trial.Score;
        }
        if (best is not null)
            line.Add((points[^1].Minutes, best.Value));
        plot.Line(line, "line best", "the best so far");
        foreach (var (trial, minutes) in points)
            plot.Point(minutes, Shown(study, trial), StyleOf(trial), Describe(trial));
        return $"<figure>{plot}</figure>";

        bool IsBetter(double a, double b) => study.HigherIsBetter ? a > b : a < b;
    }

    private static string Curves(SweepStudy study)
    {
        var trials = study.Trials.Where(trial => trial.Epochs.Count > 0).OrderBy(trial => trial == study.Best).ToArray();
        if (trials.Length == 0)
            return "";
        var plot = new Plot(Axis.OfCounts("epoch", trials.Max(trial => trial.Epochs.Max(epoch => epoch.Epoch))), Axis.Of("score", trials.SelectMany(trial => trial.Epochs).Select(epoch => epoch.Score)), width: 900);
        foreach (var trial in trials)
        {
            var style = trial.Number == study.Best?.Number ? "best" : trial.State == SweepTrialState.Complete ? "" : "early";
            plot.Line(trial.Epochs.Select(epoch => ((double)epoch.Epoch, epoch.Score)), $"line {style}", Describe(trial));
            if (trial.Epochs.Count == 1)
                plot.Point(trial.Epochs[0].Epoch, trial.Epochs[0].Score, StyleOf(trial), Describe(trial));
        }
        return Section("Learning curves", "The best until each epoch on the rows that a trial's training held out. The strong line is the best trial; dashed ones were ended early.", $"<figure>{plot}</figure>");
    }

    private static string Branch(SweepStudy study, Branch branch, SweepTrial[] ranked)
    {
        if (ranked.Length < 2 || branch.Dimensions.Count == 0)
            return "";
        var name = study.History.Space.Branches.Count > 1 ? $"{branch.Name}: " : "";
        var score = Axis.Of(study.Metric, ranked.Select(trial => Shown(study, trial)));
        var importance = ParameterImportance.Of(branch.Dimensions, ranked);
        var bars = string.Concat(importance.Select(each => Bar(each.Name, each.Share)));
        var slices = string.Concat(branch.Dimensions.Select(dimension =>
        {
            var plot = new Plot(DimensionAxis.Of(dimension), score, width: 400, height: 240);
            foreach (var trial in ranked.Reverse())
                plot.Point(dimension.PlaceOf(trial.Parameters[dimension.Name]), Shown(study, trial), StyleOf(trial), Describe(trial));
            return $"<figure>{plot}</figure>";
        }));
        return (bars.Length > 0 ? Section($"{name}what matters", "How much each hyper-parameter has to do with being among the best quarter.", $"<div class='bars'>{bars}</div>") : "")
            + Section($"{name}one by one", $"{study.Metric} of every trial over each hyper-parameter.", $"<div class='slices'>{slices}</div>")
            + Section($"{name}all together", "A line is a trial; the redder, the better.", $"<figure class='scroll'>{ParallelCoordinates.Draw(branch.Dimensions, score, [.. ranked.Reverse().Select(trial => (trial, Shown(study, trial)))])}</figure>");
    }

    private static string Table(SweepStudy study)
    {
        var history = study.History;
        var names = history.Space.Branches.SelectMany(branch => branch.Dimensions).Select(dimension => dimension.Name).Distinct().ToArray();
        var rows = history.Ranked.Concat(history.Trials.Where(trial => !trial.IsOver)).Take(MostRows).Select(trial => string.Create(CultureInfo.InvariantCulture, $"""
            <tr><td class='number'>{trial.Number}</td><td>{Encode(trial.Candidate)}</td><td>{trial.State}</td><td class='number'>{Axis.Text(trial.Score)}</td><td class='number'>{trial.Epochs.Count}</td><td class='number'>{trial.Duration.TotalSeconds:0.0}</td>{string.Concat(names.Select(name => $"<td class='number'>{Encode(Axis.Text(trial.Parameters.GetValueOrDefault(name)))}</td>"))}<td class='error'>{Encode(trial.Error ?? "")}</td></tr>
            """));
        return $"<div class='scroll'><table class='trials'><tr><th>trial</th><th>estimator</th><th>state</th><th class='number'>{Encode(study.Metric)}</th><th class='number'>epochs</th><th class='number'>seconds</th>{string.Concat(names.Select(name => $"<th class='number'>{Encode(name)}</th>"))}<th></th></tr>{string.Concat(rows)}</table></div>";
    }

    private static double Shown(SweepStudy study, SweepTrial trial) => study.History.Shown(trial)!.Value;

    private static string StyleOf(SweepTrial trial) => trial.State == SweepTrialState.Complete ? "dot" : "dot hollow";

    private const string Style = """
        :root { --best: #c2410c; } @media (prefers-color-scheme: dark) { :root { --best: #fb923c; } }
        .line { stroke-width: 1.2; opacity: .6; } .line.early { stroke-dasharray: 4 3; opacity: .4; } .line.best { --color: var(--best); stroke-width: 2.5; opacity: 1; }
        .dot { fill-opacity: .75; } .dot.hollow { fill: none; stroke: var(--accent); opacity: .6; }
        .halo { paint-order: stroke; stroke: var(--card); stroke-width: 3px; } .axis { stroke: var(--soft); }
        .trial { fill: none; stroke: color-mix(in srgb, var(--best) calc(var(--rank) * 100%), #9ca3af); stroke-width: calc(.7px + 1.3px * var(--rank)); opacity: calc(.25 + .75 * var(--rank)); }
        .slices { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 8px; } .bars { max-width: 520px; }
        .trials { font-size: 13px; } .trials td, .trials th { white-space: nowrap; } .error { color: var(--soft); }
        """;
}
