using Microsoft.ML.AutoML;

namespace Microsoft.ML.VisionModels.Tests;

public class DocumentationTests
{
    /// <summary>The example of docs/automl.md and of the package's page, with fewer trials and epochs.</summary>
    [Fact]
    public async Task TheExampleDoesWhatItSays()
    {
        using var folder = TestFolders.Temporary();
        foreach (var (name, color) in ToyImages.Names.Select((name, color) => (name, color)))
        {
            Directory.CreateDirectory(Path.Combine(folder.Path, "flowers", name));
            for (var i = 0; i < 8; i++)
            {
                using var image = ToyImages.Image(color, i);
                image.Save(Path.Combine(folder.Path, "flowers", name, $"{i}.png"));
            }
        }
        var (flowers, database, zip, page) = (folder.File("flowers"), folder.File("flowers.db"), folder.File("flowers.zip"), folder.File("sweep.html"));

        var mlContext = new MLContext(seed: 1);
        var images = mlContext.Data.LoadImageFolder(flowers);
        var split = mlContext.Data.TrainTestSplit(images, testFraction: 0.2);

        var experiment = mlContext.Auto().CreateExperiment()
            .SetDataset(split.TrainSet, split.TestSet)
            .SetVisionSweep(mlContext.Auto().ImageClassification(epochs: 1), new SweepOptions { Trials = 2, Storage = database });

        using var best = (SweepTrialResult)await experiment.RunAsync(TestContext.Current.CancellationToken);
        mlContext.Model.Save(best.Model, images.Schema, zip);
        best.Study.WriteReport(page);

        Assert.Equal(["SwinClassifier", "ViTClassifier"], best.Study.Trials.Select(trial => trial.Candidate).Order());
        Assert.Contains(best.Trial.Candidate, await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken));
        using var loaded = (IDisposable)new MLContext().Model.Load(zip, out _);
        Assert.NotNull(loaded);
    }
}
