using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Imaging;
using static TorchSharp.torch;

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

    private const string Weights = "vit-tiny-imagenet/vit_tiny_patch16_224.safetensors";
    private const double Tolerance = 1e-3;

    [Fact]
    public void LogitsOfPhotographsAreTheReferences()
    {
        var folder = TestFolders.Data("vit-tiny-imagenet");
        var names = File.ReadAllLines(Path.Combine(folder, "classes.txt"));
        var files = JsonSerializer.Deserialize<string[]>(File.ReadAllText(Path.Combine(folder, "files.json")))!;
        using var expected = Checkpoint.Open(Path.Combine(folder, "expected.safetensors"));
        using var expectedLogits = expected.Read("logits");
        using var expectedLabels = expected.Read("labels");
        var logits = expectedLogits.data<float>().ToArray().Chunk((int)expectedLogits.shape[1]).ToArray();
        var labels = expectedLabels.data<long>().ToArray();
        Assert.Equal((files.Length, names.Length), (logits.Length, logits[0].Length));

        var context = new MLContext();
        var photographs = context.Data.LoadFromEnumerable(files.Select(file => new Photograph { Path = Path.Combine(folder, "images", file) }));
        var pipeline = context.Transforms.ViTClassifier(new ViTClassifierOptions
        {
            Preset = ViTPreset.Tiny16,
            Checkpoint = TestFolders.Data(Weights),
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
        Assert.Equal(files.Length, predictions.Length);

        var worst = 0.0;
        for (var i = 0; i < predictions.Length; i++)
        {
            // Scores are softmax(logits): their logarithms are the logits but for a constant, the reference's log-sum-exp.
            var offset = LogSumExp(logits[i]);
            worst = Math.Max(worst, predictions[i].Score.Select((score, c) => Math.Abs(Math.Log(score) + offset - logits[i][c])).Max());
            Assert.StartsWith($"{Ranked(predictions[i].Score)[0]} ", predictions[i].PredictedLabel);
        }
        Assert.InRange(worst, 0, Tolerance);

        // As many are right as with the reference's logits, but for those of which it is within the tolerance itself.
        foreach (var rank in (int[])[1, 5])
        {
            bool IsRight(float[] values, int i) => Ranked(values)[..rank].Contains((int)labels[i]);
            bool IsOpen(int i) => Math.Abs(logits[i][Ranked(logits[i])[rank - 1]] - logits[i][Ranked(logits[i])[rank]]) <= 2 * Tolerance;
            var images = Enumerable.Range(0, predictions.Length).ToArray();
            var (ours, theirs) = (images.Count(i => IsRight(predictions[i].Score, i)), images.Count(i => IsRight(logits[i], i)));
            Assert.InRange(ours, theirs - images.Count(IsOpen), theirs + images.Count(IsOpen));
            TestContext.Current.SendDiagnosticMessage($"top {rank}: {ours} of {images.Length}, with the reference's logits {theirs}");
        }
    }

    /// <summary>A folder as timm has it tells the network, and the preprocessing of which the reference is: a crop of 224 of a shortest edge of 256.</summary>
    [Fact]
    public void AFolderOfTimmsTellsTheSame()
    {
        var data = TestFolders.Data("vit-tiny-imagenet");
        using var expected = Checkpoint.Open(Path.Combine(data, "expected.safetensors"));
        using var logits = expected.Read("logits");
        using var folder = TestFolders.Temporary();
        File.CreateSymbolicLink(folder.File("model.safetensors"), TestFolders.Data(Weights));
        File.WriteAllText(folder.File("config.json"), """
            {"architecture": "vit_tiny_patch16_224", "num_classes": 1000, "num_features": 192, "global_pool": "token",
             "pretrained_cfg": {"input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.875, "crop_mode": "center", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "classifier": "head"}}
            """);

        var context = new MLContext();
        var files = JsonSerializer.Deserialize<string[]>(File.ReadAllText(Path.Combine(data, "files.json")))!;
        var known = files.Select(file => Path.Combine(data, "images", file)).Zip(logits.data<float>().ToArray().Chunk((int)logits.shape[1]))
            .Take(8).Where(pair => IsCroppedAlike(pair.First)).ToArray();
        var photographs = context.Data.LoadFromEnumerable(known.Select(pair => new Photograph { Path = pair.First }));
        using var model = context.Transforms.PretrainedViTClassifier(folder.Path, imageColumnName: "Path").Fit(photographs);
        foreach (var (scores, row) in model.Transform(photographs).GetColumn<float[]>("Score").Zip(known.Select(pair => pair.Second)))
            Assert.All(scores.Zip(row), pair => Assert.Equal(pair.Second, Math.Log(pair.First) + LogSumExp(row), Tolerance));

        // timm halves odd margins to the even number, the reference rounds down.
        static bool IsCroppedAlike(string path)
        {
            var image = ImageDecoder.Decode(path);
            return (256 * Math.Max(image.Width, image.Height) / Math.Min(image.Width, image.Height) - 224) % 4 != 3;
        }
    }

    [Fact]
    public void TimmsNamesLoadStrictly()
    {
        using var checkpoint = Checkpoint.Open(TestFolders.Data(Weights));
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var config = ViTConfig.Of(ViTPreset.Tiny16) with { Classes = File.ReadAllLines(TestFolders.Data("vit-tiny-imagenet/classes.txt")).Length };
        using var network = new ViTNetwork(config);
        Assert.Same(ViTDialect.Timm, Dialect.For(checkpoint, ViTDialect.HuggingFace(config), ViTDialect.Timm));
        CheckpointLoader.Load(network, checkpoint, ViTDialect.Timm);
        network.eval();

        var probabilities = network.forward(randn(2, config.Channels, config.ImageSize.Height, config.ImageSize.Width, generator: new Generator(1))).softmax(-1);
        Assert.True(probabilities.isfinite().all().item<bool>());
        Assert.True(probabilities.std().item<float>() > 1e-4f);
    }

    private static int[] Ranked(float[] values) => [.. Enumerable.Range(0, values.Length).OrderByDescending(c => values[c])];

    private static double LogSumExp(float[] values)
    {
        double max = values.Max();
        return max + Math.Log(values.Sum(v => Math.Exp(v - max)));
    }
}
