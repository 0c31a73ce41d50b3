using System.Text.Json;
using Microsoft.ML.VisionModels.Tests.Clip;
using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests.Sam;

public class SamWordsTests
{
    [Fact]
    public void SegmentsAreNamedAndAreStillAfterSavingAndLoading()
    {
        using var folder = TestFolders.Temporary();
        SamContractSetup.Write(Directory.CreateDirectory(folder.File("sam")).FullName, ContractData.Side);
        ClipContractSetup.Write(Directory.CreateDirectory(folder.File("clip")).FullName, ContractData.Side);
        var context = new MLContext(seed: 1);
        var images = ContractData.Images(context, count: 3);
        using var words = context.Transforms.ClipZeroShot(new ClipZeroShotOptions { Checkpoint = folder.File("clip"), Labels = ["a red square", "a blue square"], Device = "cpu" }).Fit(images);
        using var model = context.Transforms.SamEverything(new SamEverythingOptions
        {
            Checkpoint = folder.File("sam"), Device = "cpu", Classifier = words, PointsPerSide = 2, PredictedIouThreshold = 0, StabilityThreshold = 0,
        }).Fit(images);

        var expected = ContractData.Scores(model, images);
        using var segments = JsonDocument.Parse((string)expected[0][0]);
        Assert.NotEmpty(segments.RootElement.EnumerateArray());
        Assert.All(segments.RootElement.EnumerateArray(), segment =>
        {
            Assert.Contains(segment.GetProperty("label").GetString(), words.Labels);
            Assert.InRange(segment.GetProperty("label_score").GetSingle(), 0.5f, 1f);      // the likelier of two
        });

        context.Model.Save(model, images.Schema, folder.File("model.zip"));
        var loaded = context.Model.Load(folder.File("model.zip"), out _);
        using var owned = loaded as IDisposable;
        words.Dispose();        // the loaded model has its own
        ContractData.AssertSame(expected, ContractData.Scores(loaded, images));
    }
}
