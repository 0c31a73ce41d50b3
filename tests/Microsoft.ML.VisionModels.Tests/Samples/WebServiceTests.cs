using System.Net;
using System.Net.Http.Json;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests.Samples;

/// <summary>samples/WebService, asked by many at once.</summary>
public class WebServiceTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnswersManyAtOnceAsTheModelDoesAndRefusesWhatIsTooLargeOrNoImage()
    {
        using var folder = TestFolders.Temporary();
        var files = ContractData.Save(folder, 9);
        var expected = Train(folder.File("model.zip"), files);
        await using var program = await SiteProgram.Start("WebServiceProgram", "--model", folder.File("model.zip"), "--megabytes", "1");

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(async i =>
        {
            using var answer = await Post(program, await File.ReadAllBytesAsync(files[i % files.Length], Cancellation));
            return await answer.Content.ReadFromJsonAsync<Label[]>(Cancellation);
        }));
        foreach (var (i, answer) in answers.Index())
        {
            Assert.Equal(answer!.OrderByDescending(label => label.Score), answer);
            Assert.Equal(ToyImages.Names.Order(), answer!.Select(label => label.Name).Order());
            Assert.All(answer!, label => Assert.Equal(expected[i % files.Length][label.Name], label.Score, 1e-5f));
        }

        using var none = await Post(program, "no image"u8.ToArray());
        Assert.Equal(HttpStatusCode.BadRequest, none.StatusCode);
        Assert.Contains("no image that can be read", await none.Content.ReadFromJsonAsync<string>(Cancellation));
        using var large = await Post(program, new byte[(1 << 20) + 1]);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        using var again = await Post(program, await File.ReadAllBytesAsync(files[0], Cancellation));
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        if (!OperatingSystem.IsWindows())
            await program.Stop();
    }

    /// <summary>A model as samples/ImageClassification saves it, and each file's scores by its classes.</summary>
    private static Dictionary<string, float>[] Train(string path, string[] files)
    {
        var context = new MLContext(seed: 1);
        var rows = context.Data.LoadFromEnumerable(files.Select(file => new Row { ImagePath = file, Label = Path.GetFileName(Path.GetDirectoryName(file)!) }).ToList());
        var options = new ViTClassifierOptions
        {
            ImageColumnName = nameof(Row.ImagePath), ImageSize = ToyImages.Side, PatchSize = ToyImages.Side / 4, Epochs = 1, BatchSize = 3, Device = "cpu", ValidationFraction = 0,
        };
        using var model = context.Transforms.ViTClassifier(options).Append(context.Transforms.Conversion.MapKeyToValue("Prediction", "PredictedLabel")).Fit(rows);
        context.Model.Save(model, rows.Schema, path);
        var labels = model.OfType<ImageClassifierTransformer>().Single().Labels;
        return [.. model.Transform(rows).GetColumn<float[]>("Score").Select(scores => labels.Zip(scores).ToDictionary(pair => pair.First, pair => pair.Second))];
    }

    private static Task<HttpResponseMessage> Post(SiteProgram program, byte[] body) =>
        program.Client.PostAsync(new Uri("/classify", UriKind.Relative), new ByteArrayContent(body), Cancellation);

    private sealed record Label(string Name, float Score);

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
        public string Label { get; set; } = "";
    }
}
