using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Contract;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

/// <summary>Learning to make images.</summary>
[Trait("Family", "Diffusion")]
public class DiffusionTrainerTests
{
    private readonly MLContext _context = new(1);

    public static TheoryData<string, DiffusionPrediction> Tellings => new() { { "caption", DiffusionPrediction.Velocity }, { "label", DiffusionPrediction.Noise }, { "nothing", DiffusionPrediction.Image } };

    /// <summary>Squares of one color each: what is learned can be seen in the mean of an image.</summary>
    [Theory, MemberData(nameof(Tellings))]
    public void ImagesComeToLookLikeThoseThatWereLearned(string told, DiffusionPrediction prediction)
    {
        var options = Options(told);
        // The noise says little of an image where there is much of it, and is learned more slowly.
        (options.Epochs, options.Prediction) = (prediction == DiffusionPrediction.Noise ? 180 : 60, prediction);
        using var model = _context.Transforms.DiffusionTrainer(options).Fit(Squares());
        Assert.True(model.History!.Epochs[^1].TrainLoss < 0.5 * model.History.Epochs[0].TrainLoss, $"The loss went from {model.History.Epochs[0].TrainLoss} to {model.History.Epochs[^1].TrainLoss}.");
        var rows = s_colors.Select((_, i) => new Row { Caption = Name(i), Label = Name(i) }).ToArray();
        var made = model.Transform(_context.Data.LoadFromEnumerable(rows)).GetColumn<MLImage>("GeneratedImage").Select(image => Mean(ImageDecoder.FromMLImage(image))).ToArray();
        foreach (var (i, color) in made.Index())
        {
            var nearest = Enumerable.Range(0, s_colors.Length).MinBy(other => Distance(color, s_colors[other]));
            if (told != "nothing")
                Assert.Equal(i, nearest);
            Assert.InRange(Distance(color, s_colors[nearest]), 0, 0.4 * Distance([.. s_colors[0].Select(value => (double)value)], s_colors[1]));
        }

        static double[] Mean(RgbImage image) => [.. Enumerable.Range(0, 3).Select(channel => Enumerable.Range(0, image.Pixels.Length / 3).Average(pixel => (double)image.Pixels[3 * pixel + channel]))];

        static double Distance(double[] a, byte[] b) => Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum());
    }

    [Fact]
    public void PreviewsAreOfTheSameNoise()
    {
        var previews = new List<(int Epoch, byte[][] Images)>();
        var options = Options("caption");
        (options.Epochs, options.PreviewEpochs, options.PreviewRows, options.LearningRate) = (4, 2, ["red", "green"], 1e-9);
        options.Previews = new Reports(preview => previews.Add((preview.Epoch, [.. preview.Images.Select(image => ImageDecoder.FromMLImage(image).Pixels)])));
        using var model = _context.Transforms.DiffusionTrainer(options).Fit(Squares());
        Assert.Equal([2, 4], previews.Select(preview => preview.Epoch));
        Assert.Equal(2, previews[0].Images.Length);
        Assert.Equal(previews[0].Images[0], previews[1].Images[0]);     // at so small a rate nothing is learned
    }

    [Fact]
    public void APublishedModelGoesOnLearning()
    {
        var options = Options("caption");
        (options.Checkpoint, options.ImageSize, options.Epochs, options.Sampling.Steps) = (Path.Combine(TestFolders.OwnGolden, "diffusion-pipeline-t2i"), 16, 2, 2);
        using var before = DiffusionModel.Open(options.Checkpoint);
        using var model = _context.Transforms.DiffusionTrainer(options).Fit(Squares());
        using var use = model.Model.Use();
        var (old, now) = (before.Take(), use.As<DiffusionNetwork>());
        foreach (var (name, weight) in old.state_dict())
        {
            if (!name.StartsWith("unet.", StringComparison.Ordinal))
                Assert.True(weight.equal(now.state_dict()[name]).all().item<bool>(), $"{name} is no part of what is learned.");
        }
        Assert.Contains(old.UNet.state_dict(), entry => !entry.Value.equal(now.UNet.state_dict()[entry.Key]).all().item<bool>());
    }

    [Fact]
    public void EveryParameterOfANewModelLearns()
    {
        foreach (var told in new[] { "caption", "label" })
        {
            var options = Options(told);
            (options.Epochs, options.ConditionDropout) = (3, 0.3);
            using var first = Fit(options, steps: 1);
            using var last = Fit(options, steps: 8);
            using var a = first.Model.Use();
            using var b = last.Model.Use();
            var now = b.Module.state_dict();
            Assert.All(a.Module.state_dict(), entry => Assert.False(entry.Value.equal(now[entry.Key]).all().item<bool>(), $"{entry.Key} stands still."));
        }

        DiffusionTransformer Fit(DiffusionTrainerOptions options, int steps)
        {
            options.Steps = steps;
            return new MLContext(1).Transforms.DiffusionTrainer(options).Fit(Squares());
        }
    }

    /// <summary>Times, noise and what is withheld are a batch's, whatever parts it goes through the network in.</summary>
    [Theory]
    [InlineData("caption", 2)]
    [InlineData("label", 3)]
    [InlineData("nothing", 8)]
    public void AccumulationGivesTheSameGradients(string told, int parts)
    {
        using var scope = NewDisposeScope();
        var (expected, actual) = (Gradients(1), Gradients(parts));
        Assert.Contains(expected, entry => entry.Value.abs().max().item<float>() > 1e-3);
        Assert.All(expected, entry => TensorAssert.Close(entry.Value, actual[entry.Key], 1e-5));

        Dictionary<string, Tensor> Gradients(int accumulationSteps)
        {
            var options = Options(told);
            (options.Steps, options.BatchSize, options.GradientClip, options.AccumulationSteps, options.ConditionDropout, options.OffsetNoise) = (2, 8, 0, accumulationSteps, 0.4, 0.1);
            var after = new Watch();
            options.Watch = after;
            using var model = new MLContext(1).Transforms.DiffusionTrainer(options).Fit(Squares());
            return after.Gradients;
        }
    }

    /// <summary>The gradients of the second step: at the first, the network's last layer is zero, and the others learn nothing.</summary>
    private sealed class Watch : ITrainingCallback
    {
        public Dictionary<string, Tensor> Gradients { get; private set; } = [];

        public void OnStepEnd(TrainingState state) => Gradients = state.Task.Network.named_parameters().Where(entry => entry.parameter.grad is not null)
            .ToDictionary(entry => entry.name, entry => entry.parameter.grad!.clone().DetachFromDisposeScope());
    }

    public static TheoryData<string, Action<DiffusionTrainerOptions>> Wrong => new()
    {
        { "set CaptionColumnName", options => (options.Checkpoint, options.CaptionColumnName) = (TestFolders.OwnGolden + "/diffusion-pipeline-t2i", null) },
        { "ImageSize is 18, but must be a multiple of 4", options => (options.Checkpoint, options.ImageSize) = (TestFolders.OwnGolden + "/diffusion-pipeline-t2i", 18) },
        { "Preprocessing must bring colors to -1 to 1", options => options.Preprocessing = ImagePreprocessing.ExactSize(8, 8) with { Normalization = ImageNormalization.ImageNet } },
        { "Preprocessing must bring colors to -1 to 1", options => options.Preprocessing = ImagePreprocessing.ExactSize(8, 8) with { RescaleFactor = 1 } },
        { "Preprocessing must bring colors to -1 to 1", options => options.Preprocessing = new() { Resize = new ImageResize.Exact(8, 8) } },
        { "no class 'purple'", options => (options.CaptionColumnName, options.LabelColumnName, options.PreviewRows) = (null, "Label", ["purple"]) },
    };

    [Theory, MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void WhatCannotBeLearnedIsSaidBeforeTheWork(string message, Action<DiffusionTrainerOptions> change)
    {
        var options = Options("caption");
        change(options);
        options.Progress = new Started();
        Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(() => _context.Transforms.DiffusionTrainer(options).Fit(Squares())).Message);
    }

    private sealed class Started : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => Assert.Fail("Training began.");
    }

    [Fact]
    public void CaptionsAndLabelsAtOnceAreRefused()
    {
        var options = Options("caption");
        options.LabelColumnName = "Label";
        Assert.Contains("LabelColumnName", Assert.Throws<ArgumentException>(() => _context.Transforms.DiffusionTrainer(options)).Message);
    }

    private static readonly byte[][] s_colors = [[230, 20, 20], [20, 210, 30], [20, 30, 220]];

    private static string Name(int i) => ToyImages.Names[i];

    private static DiffusionTrainerOptions Options(string told) => new()
    {
        ImageColumnName = "Image", CaptionColumnName = told == "caption" ? "Caption" : null, LabelColumnName = told == "label" ? "Label" : null, ImageSize = 8, Channels = 16, BatchSize = 16, Device = "cpu",
        LearningRate = 3e-3, VocabularySize = 520, EmaDecay = 0.9, Sampling = new() { Steps = 10, GuidanceScale = 2 },
    };

    private IDataView Squares() => _context.Data.LoadFromEnumerable(Enumerable.Range(0, 48).Select(i =>
    {
        var image = new RgbImage(8, 8);
        for (var pixel = 0; pixel < image.Pixels.Length; pixel++)
            image.Pixels[pixel] = s_colors[i % 3][pixel % 3];
        return new Row { Image = ImageDecoder.ToMLImage(image), Caption = Name(i % 3), Label = Name(i % 3) };
    }).ToList());

    internal sealed class Row
    {
        [Transforms.Image.ImageType(8, 8)]
        public MLImage? Image { get; set; }
        public string Caption { get; set; } = "";
        public string Label { get; set; } = "";
    }

    private sealed class Reports(Action<DiffusionPreview> report) : IProgress<DiffusionPreview>
    {
        public void Report(DiffusionPreview value) => report(value);
    }
}
