// What a user of the package does: train, save, load, predict. Runs against the packed package, not against the sources.
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels;

var mlContext = new MLContext(seed: 1);
var images = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 48).Select(i => Image(i, i % 2 == 0 ? "dark" : "bright")).ToArray());

var pipeline = mlContext.Transforms.ViTClassifier(new ViTClassifierOptions { ImageSize = 16, PatchSize = 4, Epochs = 1, BatchSize = 8 })
    .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
var model = pipeline.Fit(images);
mlContext.Model.Save(model, images.Schema, "model.zip");

var loaded = new MLContext().Model.Load("model.zip", out _);
var before = mlContext.Model.CreatePredictionEngine<Input, Prediction>(model);
var after = mlContext.Model.CreatePredictionEngine<Input, Prediction>(loaded);
foreach (var label in new[] { "dark", "bright" })
{
    var (expected, found) = (before.Predict(Image(100, label)), after.Predict(Image(100, label)));
    Console.WriteLine($"{label}: predicted {found.PredictedLabel}, scores {string.Join(", ", found.Score)}");
    if (found.PredictedLabel is not ("dark" or "bright") || Math.Abs(found.Score.Sum() - 1) > 1e-5 || !found.Score.SequenceEqual(expected.Score))
        throw new InvalidOperationException($"The trained model said {expected.PredictedLabel}: {string.Join(", ", expected.Score)}.");
}
Console.WriteLine("The package works.");

static Input Image(int seed, string label)
{
    var pixels = new byte[4 * 16 * 16];
    new Random(seed).NextBytes(pixels);
    for (var i = 0; i < pixels.Length; i++)
        pixels[i] = i % 4 == 3 ? (byte)255 : label == "dark" ? (byte)(pixels[i] / 4) : (byte)(255 - pixels[i] / 4);
    return new() { Image = MLImage.CreateFromPixels(16, 16, MLPixelFormat.Rgba32, pixels), Label = label };
}

public sealed class Input
{
    [ImageType(16, 16)]
    public MLImage Image { get; set; } = null!;

    public string Label { get; set; } = "";
}

public sealed class Prediction
{
    public string PredictedLabel { get; set; } = "";

    public float[] Score { get; set; } = [];
}
