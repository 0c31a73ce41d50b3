using System.Globalization;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Evaluation;
using Microsoft.ML.VisionModels.Families.SelfSupervised;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// What a small network learns of CIFAR-10 without labels in a given time, by each method: how often the 20 nearest of all training images
/// tell a test image's class, and how often a linear layer does. Beside it the same network untrained, and the pixels themselves.
/// </summary>
internal static class SslCifar
{
    private const int Seed = 1, CalibrationImages = 5120;

    public static void Run(BenchArguments arguments, string command)
    {
        var images = arguments.Place("images", "cifar10");
        var threads = arguments.Threads[^1];
        set_num_threads(threads);
        var method = Enum.Parse<SslMethod>(arguments.Text("method", nameof(SslMethod.SimClr)), ignoreCase: true);
        var backbone = Enum.Parse<SslBackbone>(arguments.Text("backbone", method == SslMethod.Mae ? nameof(SslBackbone.ViTSmallImage) : nameof(SslBackbone.ResNetSmallImage)), ignoreCase: true);
        var budget = double.Parse(arguments.Text("minutes", "30"), CultureInfo.InvariantCulture) * threads;
        var context = new MLContext(Seed);
        var log = new SslCifarResults(command, $"{method} {backbone}");
        var (train, test) = (CifarSet.Read(context, Path.Combine(images, "train")), CifarSet.Read(context, Path.Combine(images, "test")));
        if (method == SslMethod.None)
        {
            log.Test("pixels", 0, 0, train.Judge(test, pixels => pixels.flatten(1)));
            foreach (var each in new[] { SslBackbone.ResNetSmallImage, SslBackbone.ViTSmallImage })
            {
                var plan = SslBackbones.Open(new SslFeaturizerOptions { Backbone = each });
                using var generator = EpochOrder.Generator(Seed, 0, 2);
                using var network = plan.Build(generator);
                network.eval();
                log.Test($"{each} untrained", 0, 0, train.Judge(test, network.Embed));
            }
            return;
        }

        var epochs = arguments.Number("epochs", 0) is > 0 and var asked ? asked : Epochs(context, Options(), train, budget);
        var watch = new Curve(train, test, log);
        var options = Options();
        (options.Epochs, options.Watch) = (epochs, watch);
        using var model = context.Transforms.SslFeaturizer(options).Fit(train.View(context));
        model.SaveCheckpoint(Path.Combine(Repository.Data, $"ssl-{method}-{backbone}".ToLowerInvariant()));
        using var kept = model.Model.Use();
        log.Test("end", epochs, watch.Minutes, train.Judge(test, kept.Module.Embed));
        log.Write();

        SslFeaturizerOptions Options()
        {
            var options = new SslFeaturizerOptions
            {
                ImageColumnName = "ImagePath", Method = method, Backbone = backbone, ValidationFraction = 0, EarlyStoppingPatience = 0, Device = "cpu",
                BatchSize = arguments.Number("batch", 128), TrainingPrecision = Precision.BFloat16,
            };
            if (arguments.Text("rate", "") is { Length: > 0 } rate)
                options.LearningRate = double.Parse(rate, CultureInfo.InvariantCulture);
            foreach (var setting in arguments.Text("set", "").Split(',', StringSplitOptions.RemoveEmptyEntries))
                Sweeps.Spaces.DeclaredSpace.Set(options, setting.Split('=')[0], setting.Split('=')[1]);
            return options;
        }
    }

    /// <summary>How many epochs the budget has room for, by how long the second half of a small epoch takes.</summary>
    private static int Epochs(MLContext context, SslFeaturizerOptions options, CifarSet train, double budget)
    {
        var marks = new List<(int Step, double Minutes)>();
        var clock = new ProcessorClock();
        (options.Epochs, options.Progress) = (1, new Reports<TrainingProgress>(progress => marks.Add((progress.Step, clock.Minutes))));
        using (context.Transforms.SslFeaturizer(options).Fit(context.Data.TakeRows(train.View(context), CalibrationImages)))
        {
        }
        var (first, last) = (marks[marks.Count / 3], marks[^1]);
        var perStep = (last.Minutes - first.Minutes) / (last.Step - first.Step);
        var epochs = Math.Max(1, (int)Math.Round(budget / (perStep * (train.Count / options.BatchSize))));
        Console.WriteLine($"{options.Method}: {options.BatchSize / (60 * perStep):F0} images a second of processor time; {epochs} epochs in {budget:F0} minutes of it");
        return epochs;
    }

    /// <summary>Judges the network after each epoch on parts of the sets, whose time does not count.</summary>
    private sealed class Curve(CifarSet train, CifarSet test, SslCifarResults log) : ITrainingCallback
    {
        private readonly CifarSet _known = train.Take(5000), _asked = test.Take(2000);
        private readonly ProcessorClock _clock = new();
        private double _judging;

        public double Minutes => _clock.Minutes - _judging;

        public bool OnEpochEnd(TrainingState state)
        {
            var before = _clock.Minutes;
            var metrics = state.Epochs[^1].ValidationMetrics;
            log.Epoch(state.Epoch + 1, Minutes, state.MeanLoss, _known.Judge(_asked, ((SslLearner)state.Task.Network).Kept.Embed), metrics["EmbeddingDeviation"], metrics["EffectiveRank"]);
            _judging += _clock.Minutes - before;
            return false;
        }
    }
}

/// <summary>Images with their classes, decoded.</summary>
/// <param name="Pixels">[N, 3, 32, 32] uint8.</param>
/// <param name="Classes">[N] int64.</param>
/// <param name="Rows">Where they come from.</param>
internal sealed record CifarSet(Tensor Pixels, Tensor Classes, List<CifarRow> Rows)
{
    private const int Classes10 = 10;
    private static readonly ImageProcessor s_processor = new(ImagePreprocessing.ExactSize(32, 32));

    public int Count => Rows.Count;

    public static CifarSet Read(MLContext context, string folder)
    {
        var rows = context.Data.CreateEnumerable<CifarRow>(context.Data.LoadImageFolder(folder), reuseRowObject: false, ignoreMissingColumns: true).ToList();
        rows = [.. EpochOrder.Shuffle(rows.Count, 1, epoch: 0).Select(row => rows[(int)row])];
        var names = rows.Select(row => row.Label).Distinct().Order(StringComparer.Ordinal).ToList();
        var pixels = new byte[rows.Count][];
        Parallel.For(0, rows.Count, i =>
        {
            pixels[i] = new byte[3 * 32 * 32];
            ImageDecoder.Decode(rows[i].ImagePath).CopyPlanes(pixels[i]);
        });
        return new(tensor(pixels.SelectMany(row => row).ToArray(), [rows.Count, 3, 32, 32], ScalarType.Byte), tensor(rows.Select(row => (long)names.IndexOf(row.Label)).ToArray()), rows);
    }

    public IDataView View(MLContext context) => context.Data.LoadFromEnumerable(Rows);

    public CifarSet Take(int count) => new(Pixels[..count], Classes[..count], Rows[..count]);

    /// <summary>The accuracies on other images: of 20 nearest neighbors, and of a linear layer by least squares.</summary>
    public (double Neighbors, double Linear) Judge(CifarSet asked, Func<Tensor, Tensor> embed)
    {
        using var scope = NewDisposeScope();
        var (known, questions) = (Embed(Pixels, embed), Embed(asked.Pixels, embed));
        var (votes, _) = NearestNeighbors.Vote(questions, known, Classes, Classes10);
        return (NearestNeighbors.Accuracy(votes, asked.Classes), NearestNeighbors.Accuracy(Linear(known, questions), asked.Classes));
    }

    /// <summary>Scores of a linear layer that is fitted by ridge regression to the classes, on standardized features.</summary>
    private Tensor Linear(Tensor known, Tensor questions)
    {
        var (mean, deviation) = (known.mean([0], keepdim: true), known.std(0, keepdim: true).ClampMin(1e-6));
        var (x, q) = (WithOne((known - mean) / deviation).to(ScalarType.Float64), WithOne((questions - mean) / deviation).to(ScalarType.Float64));
        var y = F.one_hot(Classes, Classes10).to(ScalarType.Float64);
        var penalty = eye(x.shape[1], dtype: ScalarType.Float64).Mul(1e-3 * x.shape[0]);
        return q.matmul(linalg.solve(x.t().matmul(x).Add(penalty), x.t().matmul(y)));

        static Tensor WithOne(Tensor x) => cat([x, ones(x.shape[0], 1)], 1);
    }

    /// <summary>What a network tells of images, [N, D].</summary>
    public static Tensor Embed(Tensor pixels, Func<Tensor, Tensor> embed)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var parts = new List<Tensor>();
        foreach (var some in pixels.split(500))
        {
            using var each = NewDisposeScope();
            parts.Add(embed(s_processor.Normalize(some)).MoveToOuterDisposeScope());
        }
        return cat(parts).MoveToOuterDisposeScope();
    }
}

/// <summary>An image's file and class.</summary>
internal sealed class CifarRow
{
    public string ImagePath { get; set; } = "";
    public string Label { get; set; } = "";
}

/// <summary>bench/ssl-cifar10.csv: what each method learned, epoch by epoch, and in the end.</summary>
internal sealed class SslCifarResults(string command, string run)
{
    private const string Header = "date,run,epoch,processor minutes,training loss,neighbors' accuracy,linear accuracy,deviation,effective rank,on,command";
    private readonly List<string> _rows = [];

    private static string Path => System.IO.Path.Combine(Repository.Bench, "ssl-cifar10.csv");

    public void Epoch(int epoch, double minutes, double loss, (double Neighbors, double Linear) accuracy, double deviation, double rank)
    {
        Add(run, epoch, minutes, loss.ToString("F4", CultureInfo.InvariantCulture), accuracy, deviation.ToString("F3", CultureInfo.InvariantCulture), rank.ToString("F1", CultureInfo.InvariantCulture), "2000 test images by 5000 training images");
        Console.WriteLine($"epoch {epoch}: loss {loss:F3}, neighbors {accuracy.Neighbors:P1}, linear {accuracy.Linear:P1}, deviation {deviation:F3}, rank {rank:F1}, {minutes:F1} minutes of processor time");
    }

    public void Test(string what, int epoch, double minutes, (double Neighbors, double Linear) accuracy)
    {
        Add(what == "end" ? run : what, epoch, minutes, "", accuracy, "", "", "10000 test images by 50000 training images");
        Console.WriteLine($"{run}, {what}: neighbors {accuracy.Neighbors:P1}, linear {accuracy.Linear:P1} after {minutes:F1} minutes of processor time");
        if (what != "end")
            Write();
    }

    /// <summary>Writes the run in the place of an earlier one.</summary>
    public void Write()
    {
        var runs = _rows.Select(row => row.Split(',')[1]).ToHashSet();
        var others = File.Exists(Path) ? File.ReadAllLines(Path).Skip(1).Where(row => !runs.Contains(row.Split(',')[1])) : [];
        File.WriteAllLines(Path, [Header, .. others, .. _rows]);
    }

    private void Add(string name, int epoch, double minutes, string loss, (double Neighbors, double Linear) accuracy, string deviation, string rank, string on) => _rows.Add(string.Create(CultureInfo.InvariantCulture,
        $"{DateTime.UtcNow:yyyy-MM-dd},{name},{epoch},{minutes:F2},{loss},{accuracy.Neighbors:F4},{accuracy.Linear:F4},{deviation},{rank},{on},{(command.Contains(',') ? $"\"{command}\"" : command)}"));
}
