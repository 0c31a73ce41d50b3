using System.Globalization;
using Microsoft.ML.VisionModels;
using Spectre.Console;

namespace Samples;

/// <summary>What is around a sample: help, Ctrl+C, and errors that a user can do something about as one red line.</summary>
internal static class SampleProgram
{
    /// <param name="args">The command line.</param>
    /// <param name="help">What --help says.</param>
    /// <param name="run">The sample. Ctrl+C cancels its token, which ends training with the best model so far; a second Ctrl+C ends the program.</param>
    /// <returns>The program's exit code.</returns>
    public static int Run(string[] args, string help, Action<CancellationToken> run)
    {
        CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        if (args.Contains("--help"))
        {
            Console.WriteLine(help);
            return 0;
        }

        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 1000;   // a file needs no line breaks

        using var cancellation = new CancellationTokenSource();
        Console.CancelKeyPress += (_, press) =>
        {
            press.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        };
        try
        {
            run(cancellation.Token);
            return 0;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException or IOException
            or UnauthorizedAccessException or InvalidDataException or ImageDecodeException or CheckpointException or TrainingDivergedException or OperationCanceledException)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{e.Message}[/]");
            return 1;
        }
    }
}
