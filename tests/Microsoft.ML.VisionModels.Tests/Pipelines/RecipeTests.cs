using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Tests.Contract;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests;

public class RecipeTests
{
    private readonly MLContext _context = new(seed: 1);

    private static ViTClassifierOptions Tiny() => new() { ImageSize = 16, PatchSize = 8, Epochs = 2, BatchSize = 8, Device = "cpu" };

    [Fact]
    public void IsChosenByWhatIsTrained()
    {
        Assert.Equal((1e-3, 1.0, 0.998), Learning(new()));
        Assert.Equal((3e-4, 0.75, 0.0), Learning(new() { Checkpoint = "weights" }));
        Assert.Equal((1e-3, 1.0, 0.0), Learning(new() { Checkpoint = "weights", TrainedParts = TrainedParts.Head }));
        Assert.Equal((1e-3, 1.0, 0.0), Learning(new() { Recipe = Recipe.Plain, Checkpoint = "weights" }));

        static (double, double, double) Learning(ViTClassifierOptions options) => (options.LearningRate, options.LayerDecay, options.EmaDecay);
    }

    [Fact]
    public void WhatIsSetBesideItCounts()
    {
        var options = new ViTClassifierOptions { MixUp = 0, HorizontalFlip = false, Recipe = Recipe.FromScratchSmall, LabelSmoothing = 0.2 };
        Assert.Equal((0, false, 0.2, 1), (options.MixUp, options.HorizontalFlip, options.LabelSmoothing, options.CutMix));
    }

    [Fact]
    public void APlainTrainingChangesNoImage()
    {
        var settings = new ViTClassifierOptions { Recipe = Recipe.Plain }.AugmentationFor(new(32, 32));
        Assert.Equal(new VisionModels.Imaging.Augmentation.AugmentationSettings(), settings with { RandAugmentMagnitude = 0.3, MixProbability = 1 });
    }

    [Theory]
    [InlineData(5, 0, 0.025, 1)]
    [InlineData(19, 0, 0.095, 4)]
    [InlineData(20, 1, 0.1, 4)]
    [InlineData(69, 1, 0.345, 4)]
    [InlineData(70, 2, 0.35, 4)]
    [InlineData(100, 2, 0.5, 4)]
    [InlineData(300, 2, 0.5, 4)]
    public void ALongTrainingIsRegularizedMore(int epochs, int operations, double mixing, int shift)
    {
        var options = new ViTClassifierOptions { Epochs = epochs };
        Assert.Equal(operations, options.RandAugmentOperations);
        Assert.Equal(mixing, options.MixProbability, 1e-9);
        Assert.Equal(mixing / 5, options.DropPath, 1e-9);
        Assert.Equal(shift, options.AugmentationFor(new(32, 32)).CropPadding);
    }

    [Fact]
    public void ARecipeIsAsStrongAsYouLike()
    {
        var (weak, full, strong) = (Of(0), Of(1), Of(1.5));
        Assert.Equal((0, 0, 0, 0, 1.0, 0), (weak.LabelSmoothing, weak.DropPath, weak.RandomErasing, weak.MixProbability, weak.MinCropArea, weak.AugmentationFor(new(32, 32)).CropPadding));
        Assert.Equal((0.375, 0.75, 6), (strong.RandomErasing, strong.MixProbability, strong.AugmentationFor(new(32, 32)).CropPadding));
        Assert.Equal([0.1, 0.15, 0.15, 0.45], [full.LabelSmoothing, Math.Round(strong.LabelSmoothing, 9), Math.Round(strong.DropPath, 9), Math.Round(strong.RandAugmentMagnitude, 9)]);
        Assert.Equal(1, new ViTClassifierOptions { Recipe = Recipe.Plain, RecipeStrength = 0 }.MixProbability);     // for a MixUp that the user sets

        static ViTClassifierOptions Of(double strength) => new() { Epochs = 100, RecipeStrength = strength };
    }

    /// <summary>Everything at once, in both families.</summary>
    [Theory, EveryEstimator(Only = nameof(EstimatorCase.HasRecipe))]
    public void AllPartsTogetherTrain(string estimator)
    {
        using var folder = TestFolders.Temporary();
        var model = (ImageClassifierTransformer)EstimatorCase.Of(estimator).Fit(options => options.For<ImageClassifierOptions>(all =>
        {
            (all.Epochs, all.EarlyStoppingPatience, all.VerticalFlip, all.MinCropArea, all.ColorJitter, all.RandAugmentOperations) = (30, 0, true, 0.5, 0.1, 2);
            (all.RandomErasing, all.MixUp, all.CutMix, all.MixProbability, all.LabelSmoothing, all.DropPath) = (0.5, 0.8, 1, 1, 0.1, 0.1);
            (all.EmaDecay, all.LayerDecay, all.AccumulationSteps, all.GradientCheckpointing) = (0.99, 0.9, 3, true);
            (all.TrainingPrecision, all.ClassBalance, all.TestTimeAugmentation) = (Precision.BFloat16, ClassBalance.Sampling, true);
            (all.SnapshotFolder, all.SnapshotSteps) = (folder.Path, 2);
        }));
        using var owned = model;
        var losses = model.History!.Epochs.Select(epoch => epoch.TrainLoss).ToArray();
        Assert.Equal(30, losses.Length);
        Assert.True(losses[^5..].Average() < losses[..5].Average(), string.Join(", ", losses));
        Assert.Null(model.History.SnapshotError);
    }

    [Fact]
    public void ImagesBeyondTheMemoryAreReadAgain()
    {
        using var folder = TestFolders.Temporary();
        var paths = ContractData.Save(folder);
        var (kept, read) = (Tiny(), Tiny());
        read.ImageCacheMegabytes = 0;
        using var one = _context.Transforms.ViTClassifier(kept).Fit(ContractData.Paths(_context, paths));
        using var two = _context.Transforms.ViTClassifier(read).Fit(ContractData.Paths(_context, paths));
        Assert.Equal(ModelZip.Entries(one), ModelZip.Entries(two));

        // An image that was there when training began.
        read.Progress = new Reports<TrainingProgress>(_ => File.Delete(paths[0]));
        (read.Epochs, read.ValidationFraction) = (3, 0);
        Assert.Contains(paths[0], Assert.Throws<ImageDecodeException>(() => _context.Transforms.ViTClassifier(read).Fit(ContractData.Paths(_context, paths))).Message);
    }

    [Fact]
    public void RareClassesCountOrComeAsMuchAsOthers()
    {
        int[] classes = [0, 0, 0, 0, 0, 0, 1, 1, 2];
        var weights = ClassificationTask.WeightsOf(new ViTClassifierOptions { ClassBalance = ClassBalance.Weights }, LabelSet.OfText(["a", "b", "c"]), classes);
        Assert.Equal([0.5f, 1.5f, 3f], weights);
        Assert.Equal(9, classes.Sum(c => weights[c]), 1e-6);
        Assert.Equal([1, 1, 2f], ClassificationTask.WeightsOf(new ViTClassifierOptions { ClassWeights = new Dictionary<string, double> { ["c"] = 2 } }, LabelSet.OfText(["a", "b", "c"]), classes));

        var drawn = Enumerable.Range(0, 200).SelectMany(epoch => EpochOrder.Balanced(classes, seed: 1, epoch)).Select(row => classes[row]).CountBy(c => c).ToDictionary();
        Assert.All(drawn.Values, count => Assert.InRange(count, 540, 660));
        Assert.Equal(EpochOrder.Balanced(classes, 1, 5), EpochOrder.Balanced(classes, 1, 5));
        Assert.NotEqual(EpochOrder.Balanced(classes, 1, 5), EpochOrder.Balanced(classes, 1, 6));
    }

    [Fact]
    public void SmoothingTakesNoPartOfAnotherClassesWeight()
    {
        using var scope = NewDisposeScope();
        // Classes of 990 and 10 rows, a row of each.
        var targets = ClassificationTask.Targets(eye(2), tensor(new[] { 0.505f, 50.5f }), smoothing: 0.1);
        TensorAssert.Close([0.505 * 0.95, 0.505 * 0.05, 50.5 * 0.05, 50.5 * 0.95], targets.Mul(0.505 + 50.5), 1e-5);
        TensorAssert.Close([0, 0, 0, 0], ClassificationTask.Targets(eye(2), zeros(2), smoothing: 0.1));
    }

    [Fact]
    public void ClassesWithoutWeightTeachNothing()
    {
        var options = Tiny();
        (options.BatchSize, options.ClassWeights) = (1, new Dictionary<string, double> { ["red"] = 0, ["green"] = 0 });
        using var model = _context.Transforms.ViTClassifier(options).Fit(ContractData.Images(_context));
        var scores = model.Transform(ContractData.Images(_context)).GetColumn<float[]>("Score").ToArray();
        Assert.All(scores, row => Assert.Equal(row.Max(), row[model.Labels.ToList().IndexOf("blue")]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PaddedImagesAreTheSameInTrainingAndInScoring(bool byLongestEdge)
    {
        using var scope = NewDisposeScope();
        var settings = new ImagePreprocessing
        {
            Resize = byLongestEdge ? new ImageResize.LongestEdge(16) : new ImageResize.Exact(8, 16),
            Pad = new(16, 16),
            Normalization = ImageNormalization.ImageNet,
        };
        var processor = new VisionModels.Imaging.ImageProcessor(settings);
        var image = VisionModels.Imaging.ImageDecoder.FromMLImage(MLImage.CreateFromPixels(32, 16, MLPixelFormat.Rgba32, [.. Enumerable.Range(0, 32 * 16 * 4).Select(i => (byte)(i % 4 == 3 ? 255 : i))]));
        var scored = processor.ProcessBatch([image]);
        var bytes = new byte[3 * 16 * 16];
        processor.PadBytes(processor.ResizeAndCrop(image)).CopyPlanes(bytes);
        var trained = processor.Normalize(tensor(bytes, [1, 3, 16, 16], ScalarType.Byte));
        TensorAssert.Close(scored.narrow(2, 0, 8), trained.narrow(2, 0, 8));
        TensorAssert.Close(scored, trained, 0.01);      // padding is the byte nearest to 0
    }

    [Fact]
    public void WeightsOfUnknownClassesAreAnError()
    {
        var options = Tiny();
        options.ClassWeights = new Dictionary<string, double> { ["purple"] = 2 };
        Assert.Contains("purple", Assert.Throws<ArgumentException>(() => _context.Transforms.ViTClassifier(options).Fit(ContractData.Images(_context))).Message);
    }

    [Fact]
    public void TestTimeAugmentationIsTheMeanOverTheImageAndItsMirrorImage()
    {
        using var folder = TestFolders.Temporary();
        using var model = _context.Transforms.ViTClassifier(Tiny()).Fit(ContractData.Images(_context));
        model.SaveCheckpoint(folder.Path);
        using var both = _context.Transforms.ViTClassifier(new ViTClassifierOptions
        {
            Checkpoint = folder.Path, TrainedParts = TrainedParts.None, TestTimeAugmentation = true,
        }).Fit(ContractData.Images(_context));

        var rows = ContractData.Rows(6);
        var mirrored = _context.Data.LoadFromEnumerable(rows.Select(row => new ContractData.Row { Image = Mirror(row.Image!), Label = row.Label }).ToList());
        var images = _context.Data.LoadFromEnumerable(rows);
        var (straight, mirror, mean) = (Scores(model, images), Scores(model, mirrored), Scores(both, images));
        for (var i = 0; i < mean.Length; i++)
            Assert.Equal((straight[i] + mirror[i]) / 2, mean[i], 1e-5);

        static float[] Scores(ITransformer model, IDataView view) => [.. model.Transform(view).GetColumn<float[]>("Score").SelectMany(row => row)];
    }

    private static MLImage Mirror(MLImage image)
    {
        var pixels = image.Pixels.ToArray();
        var mirrored = new byte[pixels.Length];
        for (var i = 0; i < pixels.Length / 4; i++)
        {
            var (y, x) = Math.DivRem(i, image.Width);
            pixels.AsSpan(4 * i, 4).CopyTo(mirrored.AsSpan(4 * ((y * image.Width) + image.Width - 1 - x)));
        }
        return MLImage.CreateFromPixels(image.Width, image.Height, image.PixelFormat, mirrored);
    }
}
