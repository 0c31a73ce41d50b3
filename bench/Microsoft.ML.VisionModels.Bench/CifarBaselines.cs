using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>What a transformer from random weights has to be held against on CIFAR-10.</summary>
internal static class CifarBaselines
{
    private const int Epochs = 12;

    /// <summary>Logistic regression on the pixels, as ML.NET has it.</summary>
    public static ITransformer LogisticRegression(MLContext context, IDataView train) => context.Transforms.Conversion.MapValueToKey("Label")
        .Append(context.Transforms.ResizeImages("Image", 32, 32, "Image"))  // they have this size, which ExtractPixels wants to know
        .Append(context.Transforms.ExtractPixels("Features", "Image", interleavePixelColors: false, offsetImage: 127.5f, scaleImage: 1 / 127.5f))
        .AppendCacheCheckpoint(context)
        .Append(context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(historySize: 10, l1Regularization: 0, l2Regularization: 1, optimizationTolerance: 1e-4f))
        .Fit(train);

    /// <summary>A small convolutional network (three stages of two 3 x 3 convolutions, 0.29 million parameters) with mirror images and shifts, in this package's loop.</summary>
    public static void ConvNet(string folder, int seed, double budget, CifarResults log)
    {
        var (pixels, labels) = Read(Directory.GetFiles(folder, "data_batch_*.bin"));
        var (testPixels, testLabels) = Read([Path.Combine(folder, "test_batch.bin")]);
        random.manual_seed(seed);
        var task = new Task(pixels, labels, seed);
        var clock = new ProcessorClock();
        using var stop = new CancellationTokenSource();
        var ends = new List<double>();
        var options = new Options { Epochs = Epochs, LearningRate = 3e-3, Seed = seed, CancellationToken = stop.Token, EarlyStoppingPatience = 0 };
        var history = TrainingLoop.Run(task, options.Plan(), callbacks: new Watch(() =>
        {
            ends.Add(clock.Minutes);
            if (clock.Minutes > budget)
                stop.Cancel();
        }));
        for (var i = 0; i < history.Epochs.Count; i++)
            log.Epoch(history.Epochs[i], ends[i]);
        log.Test(history.Epochs.Count, clock.Minutes, task.Accuracy(testPixels, testLabels));
    }

    /// <summary>The original files: a byte for the label, then the planes of red, green and blue.</summary>
    private static (Tensor Pixels, long[] Labels) Read(string[] files)
    {
        const int Size = 3 * 32 * 32;
        var rows = files.Order(StringComparer.Ordinal).SelectMany(file => File.ReadAllBytes(file).Chunk(1 + Size)).ToArray();
        return (tensor(rows.SelectMany(row => row.Skip(1)).ToArray(), [rows.Length, 3, 32, 32], ScalarType.Byte), [.. rows.Select(row => (long)row[0])]);
    }

    private sealed class Options : TrainerOptions;

    private sealed class Watch(Action epochEnded) : ITrainingCallback
    {
        public bool OnEpochEnd(TrainingState state)
        {
            epochEnded();
            return false;
        }
    }

    private sealed class Task : ITrainingTask
    {
        private const int BatchSize = 128;
        private readonly Tensor _pixels;
        private readonly long[] _labels;
        private readonly int[] _train, _validation;
        private readonly int _seed;
        private long[] _order = [];
        private int _epoch;

        public Task(Tensor pixels, long[] labels, int seed)
        {
            (_pixels, _labels, _seed) = (pixels, labels, seed);
            (_train, _validation) = HoldOut.Split(Array.ConvertAll(labels, label => (int)label), 0.05, seed);
            Network = nn.Sequential([.. Stage(3, 32), .. Stage(32, 64), .. Stage(64, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10)]);
            ParameterGroups = Training.ParameterGroups.Of(Network, 0.05);
        }

        public TorchSharp.Modules.Sequential Network { get; }

        nn.Module ITrainingTask.Network => Network;

        public IReadOnlyList<ParameterGroup> ParameterGroups { get; }

        public int StepsPerEpoch => SamplesPerEpoch / BatchSize;

        public int SamplesPerEpoch => _train.Length;

        public void StartEpoch(int epoch, int firstStep) => (_epoch, _order) = (epoch, EpochOrder.Shuffle(_train.Length, _seed, epoch));

        public Tensor Loss(int step, int part, int parts)
        {
            var rows = _order.Skip(step * BatchSize).Take(BatchSize).Select(i => (long)_train[i]).ToArray();
            using var generator = EpochOrder.Generator(_seed, _epoch, stream: 1, step);
            var pixels = RandomCrop.Padded(RandomFlip.Horizontal(_pixels[tensor(rows)], generator), 4, generator);
            return nn.functional.cross_entropy(Logits(pixels), tensor(Array.ConvertAll(rows, row => _labels[row])));
        }

        public ValidationResult Validate(CancellationToken cancellation)
        {
            var rows = Array.ConvertAll(_validation, row => (long)row);
            var accuracy = Accuracy(_pixels[tensor(rows)], Array.ConvertAll(rows, row => _labels[row]));
            return new(accuracy, 0, new Dictionary<string, double> { ["Accuracy"] = accuracy });
        }

        public double Accuracy(Tensor pixels, long[] labels)
        {
            using var noGradients = no_grad();
            double right = 0;
            for (var first = 0; first < labels.Length; first += 500)
            {
                using var scope = NewDisposeScope();
                var count = Math.Min(500, labels.Length - first);
                right += Logits(pixels.narrow(0, first, count)).argmax(1).eq(tensor(labels[first..(first + count)])).sum().ToDouble();
            }
            return right / labels.Length;
        }

        private Tensor Logits(Tensor pixels) => Network.forward((pixels.to(float32) - 127.5) / 64);

        private static nn.Module<Tensor, Tensor>[] Stage(int inputs, int outputs) =>
        [
            nn.Conv2d(inputs, outputs, 3, padding: 1, bias: false), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding: 1, bias: false), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2),
        ];
    }
}
