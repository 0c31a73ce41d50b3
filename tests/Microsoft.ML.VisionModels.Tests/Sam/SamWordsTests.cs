using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SegmentsAreScoredAsImagesAre(bool mirrorToo)
    {
        var context = new MLContext(seed: 1);
        var rows = ToyImages.Rows(9);
        using var model = context.Transforms.ViTClassifier(new ViTClassifierOptions { ImageSize = ToyImages.Side, PatchSize = 8, Epochs = 1, TestTimeAugmentation = mirrorToo })
            .Fit(context.Data.LoadFromEnumerable(rows));
        var scores = model.Transform(context.Data.LoadFromEnumerable(rows)).GetColumn<float[]>("Score").ToArray();
        var answers = model.Classify([.. rows.Select(row => ImageDecoder.FromMLImage(row.Image))]);
        Assert.Equal(scores.Select(score => score.Max()), answers.Select(answer => answer.Score));
        Assert.Equal(scores.Select(score => model.Labels[Array.IndexOf(score, score.Max())]), answers.Select(answer => answer.Label));
        var flipped = model.Classify([.. rows.Select(row => Mirrored(ImageDecoder.FromMLImage(row.Image)))]);
        Assert.Equal(mirrorToo, answers.Zip(flipped).All(pair => Math.Abs(pair.First.Score - pair.Second.Score) < 1e-5));
    }

    private static RgbImage Mirrored(RgbImage image)
    {
        var mirrored = new RgbImage(image.Width, image.Height);
        for (var i = 0; i < image.Pixels.Length; i++)
        {
            var (y, x, channel) = (i / 3 / image.Width, i / 3 % image.Width, i % 3);
            mirrored.Pixels[3 * (y * image.Width + image.Width - 1 - x) + channel] = image.Pixels[i];
        }
        return mirrored;
    }
}
