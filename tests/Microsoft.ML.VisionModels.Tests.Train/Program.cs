// Train MODEL.zip SNAPSHOTS: trains a small classifier that keeps itself in a folder after every third step, prints each step that is
// done and goes on when a line comes back, and saves the model. The tests kill it in the middle and start it again.
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Tests;

var (model, snapshots) = (args[0], args[1]);
var context = new MLContext(seed: 1);
var images = ToyImages.View(context, count: 40);
var options = new ViTClassifierOptions
{
    ImageSize = ToyImages.Side,
    PatchSize = ToyImages.Side / 4,
    Epochs = 4,
    BatchSize = 8,
    Device = "cpu",
    SnapshotFolder = snapshots,
    SnapshotSteps = 3,
    Progress = new Steps(),
};
using var classifier = context.Transforms.ViTClassifier(options).Fit(images);
context.Model.Save(classifier, images.Schema, model);

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
