using Microsoft.ML.VisionModels;
using Spectre.Console;

namespace Samples;

/// <summary>Shows how training goes: a live bar in a terminal, a line an epoch where the output goes to a file.</summary>
internal sealed class TrainingScreen : IProgress<TrainingProgress>
{
    private readonly ProgressTask? _bar;
    private IReadOnlyDictionary<string, double>? _lastMetrics;

    private TrainingScreen(ProgressTask? bar) => _bar = bar;

    /// <summary>Shows the training that these options are for.</summary>
    public static T Show<T>(TrainerOptions options, Func<T> train)
    {
        if (!AnsiConsole.Profile.Capabilities.Ansi || Console.IsOutputRedirected)
            return Watch(bar: null);

        return AnsiConsole.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context => Watch(context.AddTask("reading the images", maxValue: 1)));

        T Watch(ProgressTask? bar)
        {
            options.Progress = new TrainingScreen(bar);
            return train();
        }
    }

    public void Report(TrainingProgress value)
    {
        var accuracy = value.ValidationMetrics.TryGetValue("Accuracy", out var metric) ? $"  validation {metric * 100:0.0} %"
            : value.ValidationMetrics.TryGetValue("KnnAccuracy", out var neighbors) ? $"  neighbors {neighbors * 100:0.0} %" : "";
        var text = $"epoch {value.Epoch}/{value.Epochs}  loss {value.Loss:0.000}{accuracy}  {value.SamplesPerSecond:0} images/s  {value.Remaining:h\\:mm\\:ss} left";
        if (_bar is not null)
        {
            _bar.Description = text;
            _bar.Value = (value.Epoch - 1 + (double)value.Step / value.Steps) / value.Epochs;
        }
        else if (value.ValidationMetrics.Count > 0 && value.ValidationMetrics != _lastMetrics)
        {
            // New metrics are the end of an epoch.
            _lastMetrics = value.ValidationMetrics;
            AnsiConsole.WriteLine(text);
        }
    }
}
