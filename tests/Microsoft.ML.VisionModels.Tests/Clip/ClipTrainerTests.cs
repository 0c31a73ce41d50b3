using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Clip;

public sealed class ClipTrainerTests(TrainedClip trained) : IDisposable
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly MLContext _context = new(seed: 1);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatWasLearntClassifiesWithWords()
    {
        Assert.InRange(trained.History.Epochs[^1].TrainLoss, 0, trained.History.Epochs[0].TrainLoss - 0.1);
        using var classifier = _context.Transforms.ClipZeroShot(trained.Checkpoint, ToyPictures.Names, ["a {} square"]).Fit(ToyPictures.View(_context, 3));
        var test = ToyPictures.View(_context, 60, seed: 2);
        var right = classifier.Transform(test).GetColumn<uint>("PredictedLabel").Select(key => classifier.Labels[(int)key - 1])
            .Zip(test.GetColumn<string>("Label")).Count(pair => pair.First == pair.Second);
        Assert.True(right >= 54, $"{right} of 60 are right.");
    }

    [Theory]
    [InlineData(ClipTrainedTowers.Text, "vision")]
    [InlineData(ClipTrainedTowers.Vision, "text")]
    public void ATowerThatDoesNotLearnStays(ClipTrainedTowers learns, string stays)
    {
        ClipContractSetup.Write(_folder.Path, ToyPictures.Side);
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
        ClipContractSetup.Write(_folder.Path, ToyPictures.Side);
        using var whole = _context.Transforms.ClipTrainer(FineTune()).Fit(TrainedClip.Pairs(_context, 24));
        using var between = _context.Transforms.ClipTrainer(FineTune(options => options.WeightInterpolation = share)).Fit(TrainedClip.Pairs(_context, 24));
        using var scope = NewDisposeScope();
        using var start = VisionModels.Clip.ClipSource.Open(_folder.Path).Build();
        var (first, last) = (start.state_dict(), whole.Model.Network.state_dict());
        Assert.All(between.Model.Network.state_dict(), entry => TensorAssert.Close(first[entry.Key].detach() * (1 - share) + last[entry.Key] * share, entry.Value, 1e-6));
    }

    [Fact]
    public void BadOptionsAreNamed()
    {
        Assert.Contains("VocabularySize", Assert.Throws<ArgumentOutOfRangeException>(() => _context.Transforms.ClipTrainer(new() { VocabularySize = 100 })).Message);
        Assert.Contains("Checkpoint", Assert.Throws<ArgumentException>(() => _context.Transforms.ClipTrainer(new() { WeightInterpolation = 0.5 })).Message);
        Assert.Contains("ImageSize", Assert.Throws<ArgumentException>(() => _context.Transforms.ClipTrainer(new() { ImageSize = 32, Checkpoint = "folder" })).Message);
    }

    private ClipTrainerOptions FineTune(Action<ClipTrainerOptions>? change = null)
    {
        var options = new ClipTrainerOptions { Checkpoint = _folder.Path, Epochs = 1, BatchSize = 12, Device = "cpu", LearningRate = 1e-3, ValidationFraction = 0 };
        change?.Invoke(options);
        return options;
    }

    private List<string> Changed(ClipTransformer model)
    {
        using var scope = NewDisposeScope();
        using var start = VisionModels.Clip.ClipSource.Open(_folder.Path).Build();
        var before = start.state_dict();
        return [.. model.Model.Network.state_dict().Where(entry => !entry.Value.equal(before[entry.Key]).all().item<bool>()).Select(entry => entry.Key)];
    }
}
