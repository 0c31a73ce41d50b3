using System.Text.Json;
using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Tests.ViT;

/// <summary>ViT-Tiny with its real weights on real photographs, from JPEG files to labels.</summary>
[Trait("Category", "RealData")]
[Trait("Family", "ViT")]
public class ViTTinyImageNetTests
{
    private sealed class Photograph
    {
        public string Path { get; set; } = "";
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
        public string PredictedLabel { get; set; } = "";
    }

    [Fact]
    public void LogitsOfAHundredPhotographsAreTheReferences()
    {
        var folder = TestFolders.Data("vit-tiny-imagenet");
        var names = File.ReadAllLines(Path.Combine(folder, "classes.txt"));
        var files = JsonSerializer.Deserialize<string[]>(File.ReadAllText(Path.Combine(folder, "files.json")))!;
        using var expected = Checkpoint.Open(Path.Combine(folder, "expected.safetensors"));
        using var expectedLogits = expected.Read("logits");
        using var expectedLabels = expected.Read("labels");
        var logits = expectedLogits.data<float>().ToArray().Chunk(1000).ToArray();
        var labels = expectedLabels.data<long>().ToArray();

        var context = new MLContext();
        var photographs = context.Data.LoadFromEnumerable(files.Select(file => new Photograph { Path = Path.Combine(folder, "images", file) }));
        var pipeline = context.Transforms.ViTClassifier(new ViTClassifierOptions
        {
            Preset = ViTPreset.Tiny16,
            Checkpoint = Path.Combine(folder, "vit_tiny_patch16_224.safetensors"),
            TrainedParts = TrainedParts.None,
            Labels = [.. names.Select((name, i) => $"{i} {name}")],     // two of the names stand for two classes each
            ImageColumnName = "Path",
            Preprocessing = new()
            {
                Resize = new ImageResize.ShortestEdge(256),
                Filter = ResizeFilter.Bicubic,
                CenterCrop = new(224, 224),
                Normalization = ImageNormalization.Half,
            },
        }).Append(context.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        using var model = pipeline.Fit(photographs);
        var predictions = context.Data.CreateEnumerable<Prediction>(model.Transform(photographs), reuseRowObject: false).ToArray();

        var (worst, top1, top5) = (0.0, 0, 0);
        for (var i = 0; i < predictions.Length; i++)
        {
            // Scores are softmax(logits): their logarithms are the logits but for a constant, the reference's log-sum-exp.
            var offset = LogSumExp(logits[i]);
            worst = Math.Max(worst, predictions[i].Score.Select((score, c) => Math.Abs(Math.Log(score) + offset - logits[i][c])).Max());

            var ranked = Enumerable.Range(0, 1000).OrderByDescending(c => predictions[i].Score[c]).Take(5).ToArray();
            Assert.StartsWith($"{ranked[0]} ", predictions[i].PredictedLabel);
            top1 += ranked[0] == labels[i] ? 1 : 0;
            top5 += ranked.Contains((int)labels[i]) ? 1 : 0;
        }
        Assert.Equal(100, predictions.Length);
        Assert.InRange(worst, 0, 1e-3);
        Assert.Equal((85, 98), (top1, top5));
    }

    private static double LogSumExp(float[] values)
    {
        double max = values.Max();
        return max + Math.Log(values.Sum(v => Math.Exp(v - max)));
    }
}
