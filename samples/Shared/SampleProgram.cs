using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Microsoft.ML.VisionModels;
using Spectre.Console;
using Spectre.Console.Cli;

namespace Samples;

/// <summary>What is around a sample: the command line, Ctrl+C, and errors that a user can do something about as one red line.</summary>
internal static class SampleProgram
{
    /// <typeparam name="TSettings">The options. The description of the class is what --help says first.</typeparam>
    /// <param name="args">The command line.</param>
    /// <param name="run">The sample. Ctrl+C cancels its token, which ends training with the best model so far; a second Ctrl+C ends the program.</param>
    /// <returns>The program's exit code.</returns>
    public static int Run<TSettings>(string[] args, Action<TSettings, CancellationToken> run)
        where TSettings : CommandSettings
    {
        CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 1000;   // a file needs no line breaks

        using var cancellation = new CancellationTokenSource();
        Console.CancelKeyPress += (_, press) =>
        {
            press.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        };

        var app = new CommandApp<Sample<TSettings>>()
            .WithDescription(typeof(TSettings).GetCustomAttribute<DescriptionAttribute>()!.Description)
            .WithData(run);
        app.Configure(config =>
        {
            config.SetApplicationName($"dotnet run --project samples/{typeof(TSettings).Assembly.GetName().Name} -c Release --");
            config.Settings.TrimTrailingPeriod = false;
            config.PropagateExceptions();
        });
        try
        {
            return app.Run(args, cancellation.Token);
        }
        catch (Exception e) when (e is CommandAppException or ArgumentException or InvalidOperationException or FormatException or IOException
            or UnauthorizedAccessException or InvalidDataException or ImageDecodeException or CheckpointException or TrainingDivergedException or OperationCanceledException)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{MessageOf(e)}[/]");
            return 1;
        }
    }

    private static string MessageOf(Exception e) => e switch
    {
        CommandParseException => $"{e.Message} --help lists the options.",
        CommandRuntimeException { InnerException: { } inner } => inner.Message,     // what a converter says; around it are names of types
        _ => e.Message,
    };

    /// <summary>The program has this one command, and so its name is not typed.</summary>
    private sealed class Sample<TSettings> : Command<TSettings>
        where TSettings : CommandSettings
    {
        // Not the library's strict parsing, which takes a word of its own for a value that is missing.
        public override ValidationResult Validate(CommandContext context, TSettings settings) =>
            context.Remaining.Parsed.Select(option => option.Key).Concat(context.Remaining.Raw).FirstOrDefault() is { } unknown
                ? ValidationResult.Error($"Unknown option '{unknown}'. --help lists the options.")
                : ValidationResult.Success();

        public override int Execute(CommandContext context, TSettings settings, CancellationToken cancellationToken)
        {
            ((Action<TSettings, CancellationToken>)context.Data!)(settings, cancellationToken);
            return 0;
        }
    }
}
