// Train MODEL.zip SNAPSHOTS [METHOD]: trains a small classifier, features by a self-supervised method, or a diffusion model, that keeps
// itself in a folder after every third step, prints each step that is done and goes on when a line comes back, and saves the model. The
// tests kill it in the middle and start it again.
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Tests;

var (model, snapshots) = (args[0], args[1]);
var context = new MLContext(seed: 1);
var images = ToyImages.View(context, count: 40);
using var trained = args.ElementAtOrDefault(2) switch
{
    null => Fit(context.Transforms.ViTClassifier(Told(new ViTClassifierOptions { ImageSize = ToyImages.Side, PatchSize = ToyImages.Side / 4, Epochs = 4 }))),
    "Diffusion" => Fit(context.Transforms.DiffusionTrainer(Told(new DiffusionTrainerOptions { LabelColumnName = "Label", ImageSize = ToyImages.Side / 2, Channels = 8, Epochs = 4, OffsetNoise = 0.1 }))),
    var method => Fit(context.Transforms.SslFeaturizer(Told(new SslFeaturizerOptions
    {
        Method = Enum.Parse<SslMethod>(method), Backbone = SslBackbone.ViTSmallImage, ImageSize = ToyImages.Side, Epochs = 5, LabelColumnName = "Label",
        Dino = new() { Prototypes = 64, LocalCrops = 2, TeacherTemperature = 0.06, TeacherTemperatureWarmupEpochs = 3, FrozenLastLayerEpochs = 2 },
    }))),
};
context.Model.Save((ITransformer)trained, images.Schema, model);

IDisposable Fit<T>(VisionEstimator<T> estimator) where T : BatchTransformer => estimator.Fit(images);

T Told<T>(T options) where T : TrainerOptions
{
    (options.BatchSize, options.Device, options.SnapshotFolder, options.SnapshotSteps, options.Progress) = (8, "cpu", snapshots, 3, new Steps());
    return options;
}

/// <summary>Prints in the training's own thread: a step that is printed is done. Waits then, so that none comes too soon after it to be reported.</summary>
internal sealed class Steps : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        Console.WriteLine($"{(value.Epoch - 1) * value.Steps + value.Step}");
        Console.ReadLine();
        Thread.Sleep(110);
    }
}
