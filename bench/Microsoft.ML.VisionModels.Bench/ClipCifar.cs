using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// What a CLIP learns from CIFAR-10's images and their classes' names in sentences: how often the likeliest name is right, epoch by epoch
/// on 2,500 held-out training images and in the end on the 10,000 test images. Then, on images of another kind (handwritten digits),
/// what words and 16 examples a class are worth, method by method.
/// </summary>
internal static class ClipCifar
{
    private const int Seed = 1, BatchSize = 128, Shots = 16;

    public static void Run(BenchArguments arguments, ResultsFile results, string command)
    {
        var (images, digits) = (arguments.Place("images", "cifar10"), arguments.Place("digits", "digits"));
        var threads = arguments.Threads[^1];
        set_num_threads(threads);
        var context = new MLContext(Seed);
        var folder = arguments.Text("out", Path.Combine(Repository.Data, "clip-cifar10"));
        if (!File.Exists(Path.Combine(folder, "model.safetensors")))
            Train(context, images, folder, arguments.Number("epochs", 8), new ClipCifarResults(command));

        var test = context.Data.LoadImageFolder(Path.Combine(images, "test"));
        Compare(results, "CIFAR-10, zero-shot", ZeroShot(context, folder, test, Classes(images), ClipTemplates.Default), chance: 0.1, threads);

        var (shots, rest) = Split(context, digits);
        string[] names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
        var words = ZeroShot(context, folder, Named(context, rest, names), names, ["a photo of the digit {}."]);
        Compare(results, "digits, zero-shot", words, chance: 0.1, threads);
        foreach (var method in Enum.GetValues<ClipFewShotMethod>())
        {
            using var model = context.Transforms.ClipFewShot(new ClipFewShotOptions
            {
                Checkpoint = folder, Method = method, ImageColumnName = "ImagePath", Templates = ["a photo of the digit {}."], Device = "cpu",
            }).Fit(Named(context, shots, names));
            Compare(results, $"digits, {Shots} shots, {method}", Accuracy(context, model, Named(context, rest, names)), words, threads);
        }
    }

    private static void Train(MLContext context, string images, string folder, int epochs, ClipCifarResults log)
    {
        var pairs = Pairs(context, Path.Combine(images, "train"));
        var tokenizer = ClipTokenizer.Learn(pairs.Select(pair => pair.Text), 2048);
        tokenizer.SaveFolder(folder);
        var heldOut = pairs.Count / 20;
        using var curve = new Curve(tokenizer, pairs[..heldOut], Classes(images), log);
        using var model = context.Transforms.ClipTrainer(new ClipTrainerOptions
        {
            ImageColumnName = "ImagePath",
            Tokenizer = folder,
            Epochs = epochs,
            BatchSize = BatchSize,
            HorizontalFlip = true,
            MinCropArea = 1,
            ValidationFraction = 0,
            EmaDecay = 0.998,
            Device = "cpu",
            Watch = curve,
        }).Fit(context.Data.LoadFromEnumerable(pairs[heldOut..]));
        model.SaveCheckpoint(folder);
        log.Write();
    }

    /// <summary>Each image with its class in one of the paper's sentences, in any order.</summary>
    private static List<Image> Pairs(MLContext context, string folder)
    {
        var images = Read(context, folder);
        for (var i = 0; i < images.Count; i++)
            images[i].Text = ClipTemplates.ImageNet[i % ClipTemplates.ImageNet.Count].Replace("{}", images[i].Label, StringComparison.Ordinal);
        return images;
    }

    private static List<Image> Read(MLContext context, string folder)
    {
        var images = context.Data.CreateEnumerable<Image>(context.Data.LoadImageFolder(folder), reuseRowObject: false, ignoreMissingColumns: true).ToList();
        return [.. EpochOrder.Shuffle(images.Count, Seed, epoch: 0).Select(row => images[(int)row])];
    }

    private static string[] Classes(string images) => [.. Directory.GetDirectories(Path.Combine(images, "train")).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    private static double ZeroShot(MLContext context, string checkpoint, IDataView images, IReadOnlyList<string> labels, IReadOnlyList<string> templates)
    {
        using var model = context.Transforms.ClipZeroShot(new ClipZeroShotOptions
        {
            Checkpoint = checkpoint, ImageColumnName = "ImagePath", Labels = labels, Templates = templates, ScoringBatchSize = 64, Device = "cpu",
        }).Fit(images);
        return Accuracy(context, model, images);
    }

    private static double Accuracy(MLContext context, ITransformer model, IDataView images) =>
        context.MulticlassClassification.EvaluateImageClassifier(model.Transform(images)).Top1Accuracy;

    /// <summary>Some images of each class, and the rest.</summary>
    private static (List<Image> Shots, List<Image> Others) Split(MLContext context, string folder)
    {
        var images = Read(context, folder);
        var shots = images.GroupBy(image => image.Label).SelectMany(group => group.Take(Shots)).ToList();
        return (shots, [.. images.Except(shots)]);
    }

    private static IDataView Named(MLContext context, List<Image> digits, string[] names) =>
        context.Data.LoadFromEnumerable(digits.Select(digit => new Image { ImagePath = digit.ImagePath, Label = names[int.Parse(digit.Label, CultureInfo.InvariantCulture)] }).ToList());

    private static void Compare(ResultsFile results, string what, double accuracy, double chance, int threads)
    {
        Console.WriteLine($"{what}: {accuracy:P1}, against {chance:P1}");
        results.Add(new($"clip ({what})", "CLIP", what.EndsWith("zero-shot", StringComparison.Ordinal) ? "chance" : "zero-shot", "error %", 100 * (1 - accuracy), 100 * (1 - chance), threads, Batch: 0));
    }

    /// <summary>Asks after each epoch how often the likeliest name of a held-out image is right.</summary>
    private sealed class Curve : ITrainingCallback, IDisposable
    {
        private readonly ProcessorClock _clock = new();
        private readonly ClipTokenizer _tokenizer;
        private readonly string[] _labels;
        private readonly ClipCifarResults _log;
        private readonly Tensor _pixels, _classes;      // [N, 3, 32, 32], [N]

        public Curve(ClipTokenizer tokenizer, List<Image> images, string[] labels, ClipCifarResults log)
        {
            (_tokenizer, _labels, _log) = (tokenizer, labels, log);
            _pixels = new ImageProcessor(ImagePreprocessing.ExactSize(32, 32)).ProcessBatch([.. images.Select(image => ImageDecoder.Decode(image.ImagePath))]);
            _classes = tensor(images.Select(image => (long)Array.IndexOf(labels, image.Label)).ToArray());
        }

        public bool OnEpochEnd(TrainingState state)
        {
            var minutes = _clock.Minutes;
            var network = (ClipNetwork)state.Task.Network;
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            var texts = ClipTexts.EmbedClasses(network.Text, _tokenizer, _labels, ClipTemplates.Default, CPU, new MLContext(Seed), () => { });
            var vectors = cat([.. _pixels.split(100).Select(network.Vision.forward)]);
            _log.Epoch(state.Epoch + 1, minutes, state.MeanLoss, network.Logits(vectors, texts).argmax(1).eq(_classes).to(ScalarType.Float64).mean().ToDouble());
            return false;
        }

        public void Dispose()
        {
            _pixels.Dispose();
            _classes.Dispose();
        }
    }

    private sealed class Image
    {
        public string ImagePath { get; set; } = "";
        public string Label { get; set; } = "";
        public string Text { get; set; } = "";
    }
}
