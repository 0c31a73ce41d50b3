using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Checkpoints;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests;

public class ViTClassifierTests
{
    private sealed class Output
    {
        public string PredictedLabel { get; set; } = "";
        public float[] Score { get; set; } = [];
        public string Id { get; set; } = "";
    }

    private static ViTClassifierOptions Tiny() => new() { ImageSize = 16, PatchSize = 4, Epochs = 8, BatchSize = 16, LearningRate = 2e-3 };

    [Fact]
    public void TrainsScoresSavesAndLoads()
    {
        var context = new MLContext(seed: 1);
        var train = ToyImages.View(context, 120);
        var pipeline = context.Transforms.Conversion.MapValueToKey("Label")
            .Append(context.Transforms.ViTClassifier(Tiny()))
            .Append(context.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        using var model = pipeline.Fit(train);

        var test = ToyImages.View(context, 30, seed: 7);
        var scored = model.Transform(test);
        var metrics = context.MulticlassClassification.Evaluate(scored);
        Assert.True(metrics.MicroAccuracy > 0.9, $"accuracy {metrics.MicroAccuracy}");

        using var folder = TestFolders.Temporary();
        context.Model.Save(model, train.Schema, folder.File("model.zip"));
        var fresh = new MLContext(seed: 5);
        var loaded = fresh.Model.Load(folder.File("model.zip"), out var schema);
        using var engine = fresh.Model.CreatePredictionEngine<ToyImages.Input, Output>(loaded);
        var expected = context.Data.CreateEnumerable<Output>(scored, reuseRowObject: false).ToArray();
        var rows = ToyImages.Rows(30, seed: 7);
        for (var i = 0; i < rows.Count; i++)
        {
            var one = engine.Predict(rows[i]);
            Assert.Equal(expected[i].PredictedLabel, one.PredictedLabel);
            Assert.Equal(expected[i].Id, one.Id);
            for (var c = 0; c < 3; c++)
                Assert.Equal(expected[i].Score[c], one.Score[c], 1e-5f);
        }
    }
    [Fact]
    public void WeightsOutliveTheCallersDisposeScope()
    {
        var context = new MLContext(seed: 1);
        var data = ToyImages.View(context, 12);
        var options = Tiny();
        options.Epochs = 1;
        ImageClassifierTransformer model;
        using (torch.NewDisposeScope())
            model = context.Transforms.ViTClassifier(options).Fit(data);
        using (model)
        {
            Assert.Equal(12, model.Transform(data).GetColumn<float[]>("Score").Count(score => score.Length == 3));
            using var use = model.Model.Use();
            Assert.All(use.Module.parameters(), parameter => Assert.Null(parameter.grad));
        }
    }

    [Fact]
    public void ABFloat16ModelScoresTheSameAfterLoading()
    {
        var context = new MLContext(seed: 1);
        var data = ToyImages.View(context, 12);
        var options = Tiny();
        (options.Epochs, options.Precision) = (1, Precision.BFloat16);
        using var model = context.Transforms.ViTClassifier(options).Fit(data);

        using var folder = TestFolders.Temporary();
        context.Model.Save(model, data.Schema, folder.File("model.zip"));
        using var loaded = (IDisposable)context.Model.Load(folder.File("model.zip"), out _);
        Assert.Equal(Scores(model), Scores((ITransformer)loaded));

        float[][] Scores(ITransformer transformer) => [.. transformer.Transform(data).GetColumn<float[]>("Score")];
    }

    [Fact]
    public void AKeyWithoutValuesAndOfAHugeRangeNamesItsColumn()
    {
        var context = new MLContext(seed: 1);
        var rows = ToyImages.Rows(3).Select(row => new KeyedInput { Image = row.Image, Label = 1 });
        var data = context.Data.LoadFromEnumerable(rows);
        var error = Assert.Throws<ArgumentException>(() => context.Transforms.ViTClassifier(Tiny()).Fit(data));
        Assert.Contains("'Label'", error.Message);
        Assert.Contains("MapValueToKey", error.Message);
    }

    [Fact]
    public void AnImageThatPatchesDoNotFillIsRefused()
    {
        var context = new MLContext(seed: 1);
        var options = Tiny();
        options.ImageSize = 18;
        var error = Assert.Throws<ArgumentException>(() => context.Transforms.ViTClassifier(options).Fit(ToyImages.View(context, 3)));
        Assert.Contains("ImageSize is 18", error.Message);
    }

    [Fact]
    public void AMissingCheckpointIsNamedWithItsFullPath()
    {
        var context = new MLContext(seed: 1);
        var error = Assert.Throws<FileNotFoundException>(() =>
            context.Transforms.ViTClassifier(checkpoint: "not-downloaded").Fit(ToyImages.View(context, 3)));
        Assert.Contains(Path.GetFullPath("not-downloaded"), error.Message);
    }

    [Fact]
    public void AWeightsFileOfAnotherWidthNamesThePresetsThatHaveIt()
    {
        using var folder = TestFolders.Temporary();
        using (var patch = torch.zeros(192, 3, 16, 16))
        using (var positions = torch.zeros(1, 197, 192))
            SafetensorsWriter.Write(folder.File("tiny.safetensors"), [("patch_embed.proj.weight", patch), ("pos_embed", positions)]);
        var context = new MLContext(seed: 1);
        var error = Assert.Throws<CheckpointException>(() =>
            context.Transforms.ViTClassifier(checkpoint: folder.File("tiny.safetensors")).Fit(ToyImages.View(context, 3)));
        Assert.Contains("SmallImage", error.Message);
        Assert.Contains("Tiny16, DeiTTiny16", error.Message);
    }

    private sealed class KeyedInput
    {
        [ImageType(ToyImages.Side, ToyImages.Side)]
        public MLImage Image { get; set; } = null!;

        [KeyType(count: 1u << 31)]   // as Hash makes them
        public uint Label { get; set; }
    }
}
