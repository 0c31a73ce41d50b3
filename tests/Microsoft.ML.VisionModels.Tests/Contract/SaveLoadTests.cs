using Microsoft.ML.VisionModels.Tests.Imaging;

namespace Microsoft.ML.VisionModels.Tests.Contract;

public class SaveLoadTests(FittedModels models)
{
    [Theory, EveryEstimator]
    public async Task AFreshProcessGivesTheSameBits(string estimator)
    {
        using var folder = TestFolders.Temporary();
        // Of other sizes than the network's input, so that the preprocessing has its part.
        string[] files = [.. Enumerable.Range(1, 6).Select(i => folder.File(Path.Combine("images", $"{i}.png")))];
        for (var i = 0; i < files.Length; i++)
            TestImages.Save(TestImages.Noise(11 + 5 * i, 29 - 3 * i, seed: i), files[i]);
        var context = new MLContext();
        var images = LoadImages(context, files);
        context.Model.Save(models[estimator], images.Schema, folder.File("model.zip"));

        var expected = ViewValues.Added(models[estimator].Transform(images), images.Schema);
        Assert.Equal(expected, await Reload(folder.File("model.zip"), folder.File("images")));
    }

    [Theory, EveryEstimator]
    public void AModelThatWasLoadedIsSavedTheSame(string estimator)
    {
        using var folder = TestFolders.Temporary();
        var context = new MLContext();
        var images = ContractData.Images(context);
        context.Model.Save(models[estimator], images.Schema, folder.File("first.zip"));
        var loaded = context.Model.Load(folder.File("first.zip"), out _);
        using var owned = loaded as IDisposable;
        context.Model.Save(loaded, images.Schema, folder.File("second.zip"));

        Assert.Equal(ModelZip.Entries(folder.File("first.zip")), ModelZip.Entries(folder.File("second.zip")));
    }

    private static IDataView LoadImages(MLContext context, IEnumerable<string> files)
    {
        var paths = context.Transforms.CopyColumns("Path", "Image").Fit(ContractData.Paths(context, files)).Transform(ContractData.Paths(context, files));
        return context.Transforms.LoadImages("Image", imageFolder: "", "Path").Fit(paths).Transform(paths);
    }

    private static async Task<IReadOnlyList<string>> Reload(string model, string folder)
    {
        using var program = TestProgram.Start("ReloadProgram", model, folder);
        var output = await program.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await program.AssertSuccess();
        return output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
    }
}
