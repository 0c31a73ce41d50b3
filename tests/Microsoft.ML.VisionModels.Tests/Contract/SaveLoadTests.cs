using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML.VisionModels.Tests.Imaging;

namespace Microsoft.ML.VisionModels.Tests.Contract;

public class SaveLoadTests(FittedModels models)
{
    [Theory, EveryEstimator]
    public async Task AFreshProcessGivesTheSameBits(string estimator)
    {
        using var folder = TestFolders.Temporary();
        // Of other sizes than the network's input, so that the preprocessing has its part.
        string[] files = [.. Enumerable.Range(1, 6).Select(i => folder.File(Path.Combine("pictures", $"{i}.png")))];
        for (var i = 0; i < files.Length; i++)
            TestPictures.Save(TestPictures.Noise(11 + 5 * i, 29 - 3 * i, seed: i), files[i]);
        var context = new MLContext();
        var pictures = LoadImages(context, files);
        context.Model.Save(models[estimator], pictures.Schema, folder.File("model.zip"));

        var expected = ViewValues.Added(models[estimator].Transform(pictures), pictures.Schema);
        Assert.Equal(expected, await Reload(folder.File("model.zip"), folder.File("pictures")));
    }

    [Theory, EveryEstimator]
    public void AModelThatWasLoadedIsSavedTheSame(string estimator)
    {
        using var folder = TestFolders.Temporary();
        var context = new MLContext();
        var pictures = ContractData.Pictures(context);
        context.Model.Save(models[estimator], pictures.Schema, folder.File("first.zip"));
        var loaded = context.Model.Load(folder.File("first.zip"), out _);
        using var owned = loaded as IDisposable;
        context.Model.Save(loaded, pictures.Schema, folder.File("second.zip"));

        Assert.Equal(ModelZip.Entries(folder.File("first.zip")), ModelZip.Entries(folder.File("second.zip")));
    }

    private static IDataView LoadImages(MLContext context, IEnumerable<string> files)
    {
        var paths = context.Transforms.CopyColumns("Path", "Image").Fit(ContractData.Paths(context, files)).Transform(ContractData.Paths(context, files));
        return context.Transforms.LoadImages("Image", imageFolder: "", "Path").Fit(paths).Transform(paths);
    }

    private static async Task<IReadOnlyList<string>> Reload(string model, string folder)
    {
        var program = typeof(SaveLoadTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "ReloadProgram").Value!;
        var dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
        var start = new ProcessStartInfo(dotnet, ["exec", program, model, folder]) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Sums in another order differ in their last bits: one thread and the CPU, as in the tests.
        start.Environment["OMP_NUM_THREADS"] = start.Environment["MKL_NUM_THREADS"] = "1";
        start.Environment["CUDA_VISIBLE_DEVICES"] = "";
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await errors);
        return (await output).Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
    }
}
