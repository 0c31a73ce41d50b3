using Microsoft.ML.VisionModels;
using Spectre.Console;

namespace SweepSample;

/// <summary>Shows how the search goes: a live table of the running and the best trials in a terminal, a line a trial where the output goes to a file.</summary>
internal sealed class SweepScreen : IProgress<SweepProgress>
{
    private const int Rows = 10;
    private readonly LiveDisplayContext? _live;
    private readonly SortedDictionary<int, SweepTrial> _trials = [];

    private SweepScreen(LiveDisplayContext? live) => _live = live;

    /// <summary>Shows the search that these options are for.</summary>
    public static T Show<T>(SweepOptions options, Func<T> search)
    {
        if (!AnsiConsole.Profile.Capabilities.Ansi || Console.IsOutputRedirected)
            return Watch(null);
        return AnsiConsole.Live(new Text("finding the images")).Start(Watch);

        T Watch(LiveDisplayContext? live)
        {
            options.Progress = new SweepScreen(live);
            return search();
        }
    }

    public void Report(SweepProgress value)
    {
        lock (_trials)
        {
            _trials[value.Trial.Number] = value.Trial;
            if (_live is not null)
                _live.UpdateTarget(Table(value));
            else if (value.Trial.IsOver)
                AnsiConsole.WriteLine($"trial {value.Trial.Number,3}  {value.Trial.Candidate}  {value.Trial.State,-8}  {Score(value.Trial.Score ?? value.Trial.Epochs.LastOrDefault()?.Score)} after {value.Trial.Epochs.Count} epochs, {value.Trial.Duration.TotalSeconds:0.0} s  best {Score(value.Best?.Score)}  {value.Trial.Error}");
        }
    }

    private Table Table(SweepProgress value)
    {
        var table = new Table().Border(TableBorder.Rounded).Title($"{value.Over}{(value.Trials is { } trials ? $" of {trials}" : "")} trials, best {Score(value.Best?.Score)}");
        table.AddColumns("trial", "network", "state", "epochs", "score", "hyper-parameters");
        foreach (var trial in _trials.Values.Where(trial => !trial.IsOver).Concat(_trials.Values.Where(trial => trial.IsOver).OrderByDescending(trial => trial.State == SweepTrialState.Complete).ThenByDescending(trial => trial.Score)).Take(Rows))
        {
            var style = trial.Number == value.Best?.Number ? "bold green" : trial.IsOver ? "gray" : "default";
            string[] cells = [$"{trial.Number}", trial.Candidate, $"{trial.State}", $"{trial.Epochs.Count}", Score(trial.Score ?? trial.Epochs.LastOrDefault()?.Score), string.Join(", ", trial.Parameters.Select(parameter => $"{parameter.Key} {parameter.Value:G3}"))];
            table.AddRow([.. cells.Select(cell => new Text(cell, Style.Parse(style)))]);
        }
        return table;
    }

    private static string Score(double? score) => score is { } value ? $"{value * 100:0.0} %" : "–";
}
