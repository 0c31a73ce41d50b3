using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Tests.Contract;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Clip;

public sealed class ClipTrainerTests(TrainedClip trained) : IDisposable
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly MLContext _context = new(seed: 1);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatWasLearnedClassifiesWithWords()
    {
        Assert.InRange(trained.History.Epochs[^1].TrainLoss, 0, trained.History.Epochs[0].TrainLoss - 0.1);
        using var classifier = _context.Transforms.ClipZeroShot(trained.Checkpoint, ToyImages.Names, ["a {} square"]).Fit(ToyImages.View(_context, 3));
        var test = ToyImages.View(_context, 60, seed: 2);
        var right = classifier.Transform(test).GetColumn<uint>("PredictedLabel").Select(key => classifier.Labels[(int)key - 1])
            .Zip(test.GetColumn<string>("Label")).Count(pair => pair.First == pair.Second);
        Assert.True(right >= 54, $"{right} of 60 are right.");
    }

    [Theory]
    [InlineData(ClipTrainedTowers.Text, "vision")]
    [InlineData(ClipTrainedTowers.Vision, "text")]
    public void ATowerThatDoesNotLearnStays(ClipTrainedTowers learns, string stays)
    {
        ClipContractSetup.Write(_folder.Path, ToyImages.Side);
        using var model = _context.Transforms.ClipTrainer(FineTune(options => options.TrainedTowers = learns)).Fit(TrainedClip.Pairs(_context, 24));
        var changed = Changed(model);
        Assert.DoesNotContain(changed, name => name.StartsWith(stays, StringComparison.Ordinal));
        Assert.Contains(changed, name => !name.StartsWith(stays, StringComparison.Ordinal) && name != "logit_scale");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void WeightsAreInterpolated(double share)
    {
        ClipContractSetup.Write(_folder.Path, ToyImages.Side);
        using var whole = _context.Transforms.ClipTrainer(FineTune()).Fit(TrainedClip.Pairs(_context, 24));
        using var between = _context.Transforms.ClipTrainer(FineTune(options => options.WeightInterpolation = share)).Fit(TrainedClip.Pairs(_context, 24));
        using var scope = NewDisposeScope();
        using var start = new VisionModels.Families.Clip.ClipModel().Open(_folder.Path).Build();
        using var trained = whole.Model.Use();
        using var mixed = between.Model.Use();
        var (first, last) = (start.state_dict(), trained.Module.state_dict());
        Assert.All(mixed.Module.state_dict(), entry => TensorAssert.Close(first[entry.Key].detach().Mul(1 - share).Add(last[entry.Key].Mul(share)), entry.Value, 1e-6));
    }

    /// <summary>Held-out rows come class by class, as from class folders; batches of one class would all be right.</summary>
    [Fact]
    public void ValidationTellsClassesApartThoughRowsAreSorted()
    {
        var sorted = _context.Data.LoadFromEnumerable(_context.Data.CreateEnumerable<ContractData.Row>(TrainedClip.Pairs(_context, 120), reuseRowObject: false).OrderBy(row => row.Label).ToList());
        var options = Small();
        (options.Epochs, options.ValidationFraction, options.LearningRate) = (1, 0.3, 1e-12);     // it learns nothing
        using var model = _context.Transforms.ClipTrainer(options).Fit(sorted);
        Assert.InRange(model.History!.Epochs[0].ValidationMetrics["Accuracy"], 0, 0.9);
    }

    [Fact]
    public void ATokenizerThatEndsTextsOtherwiseIsRefused()
    {
        ClipTokenizer.Learn(["a red square", "a red circle"], 516).SaveFolder(_folder.Path);
        var options = new ClipZeroShotOptions { Checkpoint = trained.Checkpoint, Tokenizer = _folder.Path, Labels = ["red"] };
        Assert.Contains("another", Assert.Throws<CheckpointException>(() => _context.Transforms.ClipZeroShot(options).Fit(ToyImages.View(_context, 3))).Message);
    }

    [Fact]
    public void ATrainingThatWasStoppedEndsWithTheSameWeights()
    {
        using var whole = _context.Transforms.ClipTrainer(Small()).Fit(TrainedClip.Pairs(_context, 36));

        using var stop = new CancellationTokenSource();
        var options = Small();
        (options.SnapshotFolder, options.SnapshotSteps, options.CancellationToken) = (_folder.Path, 1, stop.Token);
        options.Progress = new Reports<TrainingProgress>(progress =>
        {
            if (progress.Epoch == 1 && progress.Step == progress.Steps)    // of every epoch's end there is a report
                stop.Cancel();
        });
        _context.Transforms.ClipTrainer(options).Fit(TrainedClip.Pairs(_context, 36)).Dispose();
        Assert.NotEmpty(Directory.EnumerateFileSystemEntries(_folder.Path));

        var again = Small();
        again.SnapshotFolder = _folder.Path;
        using var resumed = _context.Transforms.ClipTrainer(again).Fit(TrainedClip.Pairs(_context, 36));
        Assert.Equal(3, resumed.History!.Epochs.Count);
        using var expected = whole.Model.Use();
        using var actual = resumed.Model.Use();
        Assert.All(expected.Module.state_dict(), entry => TensorAssert.Close(entry.Value, actual.Module.state_dict()[entry.Key], 0));
    }

    [Theory]
    [InlineData(Precision.Float32, "float32", TorchSharp.torch.ScalarType.Float32)]
    [InlineData(Precision.BFloat16, "bfloat16", TorchSharp.torch.ScalarType.BFloat16)]
    public void ACheckpointSaysWhatNumbersItHas(Precision precision, string name, TorchSharp.torch.ScalarType type)
    {
        var options = Small();
        (options.Precision, options.Epochs) = (precision, 1);
        using var model = _context.Transforms.ClipTrainer(options).Fit(TrainedClip.Pairs(_context, 12));
        model.SaveCheckpoint(_folder.Path);
        Assert.Contains($"\"torch_dtype\": \"{name}\"", File.ReadAllText(_folder.File("config.json")));
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.All(checkpoint.Tensors.Values, tensor => Assert.Equal(type, tensor.Type));
    }

    [Fact]
    public void BadOptionsAreNamed()
    {
        Assert.Contains("BatchSize", Assert.Throws<ArgumentOutOfRangeException>(() => _context.Transforms.ClipTrainer(new() { BatchSize = 1 })).Message);
        Assert.Contains("VocabularySize", Assert.Throws<ArgumentOutOfRangeException>(() => _context.Transforms.ClipTrainer(new() { VocabularySize = 100 })).Message);
        Assert.Contains("Checkpoint", Assert.Throws<ArgumentException>(() => _context.Transforms.ClipTrainer(new() { WeightInterpolation = 0.5 })).Message);
        Assert.Contains("ImageSize", Assert.Throws<ArgumentException>(() => _context.Transforms.ClipTrainer(new() { ImageSize = 32, Checkpoint = "folder" })).Message);
    }

    private static ClipTrainerOptions Small() => new() { ImageSize = 16, PatchSize = 8, VocabularySize = 520, Epochs = 3, BatchSize = 12, Seed = 5, Device = "cpu" };

    private ClipTrainerOptions FineTune(Action<ClipTrainerOptions>? change = null)
    {
        var options = new ClipTrainerOptions { Checkpoint = _folder.Path, Epochs = 1, BatchSize = 12, Device = "cpu", LearningRate = 1e-3, ValidationFraction = 0 };
        change?.Invoke(options);
        return options;
    }

    private List<string> Changed(ClipTransformer model)
    {
        using var scope = NewDisposeScope();
        using var start = new VisionModels.Families.Clip.ClipModel().Open(_folder.Path).Build();
        var before = start.state_dict();
        using var trained = model.Model.Use();
        return [.. trained.Module.state_dict().Where(entry => !entry.Value.equal(before[entry.Key]).all().item<bool>()).Select(entry => entry.Key)];
    }
}
