using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Samples;

namespace SweepSample;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Help = """
        Searches for a good network and good hyper-parameters on images, tests the best model on held-out ones, and writes
        model.zip, report.html and trials.csv.

        Usage: dotnet run --project samples/Sweep -c Release [-- options]

          --data FOLDER        your images, one folder per class (default: handwritten digits that come with the samples)
          --out FOLDER         where the results go (default: artifacts/sweep)
          --minutes N          how long to search (default: 3)
          --trials N           how many trials at most (default: no limit)
          --epochs N           passes over the training images in a trial that is not ended early (default: 16)
          --sampler NAME       Tpe, Random, Grid or Refine (default: Tpe)
          --pruner NAME        Asha, Hyperband, Median or None (default: Asha)
          --workers N          trials at the same time (default: 1)
          --storage PLACE      keeps the study: a SQLite file, or a PostgreSQL connection that several processes share ("Host=...");
                               started again, the search goes on there (default: in memory)
          --seed N             a number that fixes everything random (default: 1)
          --help               this text
        """;

    public string? Data { get; private set; }
    public string Out { get; private set; } = Path.Combine("artifacts", "sweep");
    public int Minutes { get; private set; } = 3;
    public int? Trials { get; private set; }
    public int Epochs { get; private set; } = 16;
    public SweepSampler Sampler { get; private set; } = SweepSampler.Tpe;
    public SweepPruner Pruner { get; private set; } = SweepPruner.Asha;
    public int Workers { get; private set; } = 1;
    public string? Storage { get; private set; }
    public int Seed { get; private set; } = 1;

    /// <exception cref="ArgumentException">An option is unknown, or its value is missing or wrong.</exception>
    public static Settings Parse(string[] args)
    {
        var settings = new Settings();
        foreach (var (option, value) in CommandLine.Pairs(args))
        {
            switch (option)
            {
                case "--data": settings.Data = CommandLine.Folder(option, value); break;
                case "--out": settings.Out = CommandLine.Text(option, value); break;
                case "--minutes": settings.Minutes = CommandLine.Number(option, value); break;
                case "--trials": settings.Trials = CommandLine.Number(option, value); break;
                case "--epochs": settings.Epochs = CommandLine.Number(option, value); break;
                case "--sampler": settings.Sampler = CommandLine.OneOf<SweepSampler>(option, value); break;
                case "--pruner": settings.Pruner = CommandLine.OneOf<SweepPruner>(option, value); break;
                case "--workers": settings.Workers = CommandLine.Number(option, value); break;
                case "--storage": settings.Storage = CommandLine.Text(option, value); break;
                case "--seed": settings.Seed = CommandLine.Number(option, value); break;
                default: throw CommandLine.Unknown(option);
            }
        }

        return settings;
    }
}
