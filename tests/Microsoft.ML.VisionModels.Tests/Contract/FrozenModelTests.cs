using System.Globalization;
using System.IO.Compression;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Tests.Clip;
using Microsoft.ML.VisionModels.Tests.Imaging;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>
/// Model files that an earlier build has written, in tests/Models, one for each kind: every later build loads them, with the same scores.
/// With VISIONMODELS_FREEZE=1 the files of kinds that have none are written; a file that is there is never written again.
/// </summary>
public class FrozenModelTests
{
    private const double Tolerance = 1e-4;      // another processor sums in another order

    private static readonly string s_sources = Path.Combine(TestFolders.Checkout, "tests", "Models");
    private static readonly string s_files = Path.Combine(AppContext.BaseDirectory, "Models");

    public static TheoryData<string> Kinds => [.. Registered().Select(kind => kind.Name).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Kinds))]
    public async Task LoadsInAProcessOfItsOwnWithTheSameScores(string kind)
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("VISIONMODELS_FREEZE") == "1", "Models are being frozen.");
        using var program = TestProgram.Start("ReloadProgram", Path.Combine(s_files, $"{kind}.zip"), Path.Combine(s_files, "images"));
        var output = await program.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await program.AssertSuccess();
        AssertSame(File.ReadAllLines(Path.Combine(s_files, $"{kind}.txt")), output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task KindsWithoutAFileAreFrozenOnRequest()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("VISIONMODELS_FREEZE") == "1", "Set VISIONMODELS_FREEZE=1 to write the files of new kinds.");
        var images = Path.Combine(s_sources, "images");
        if (!Directory.Exists(images))
        {
            for (var i = 0; i < 3; i++)
                TestImages.Save(TestImages.Noise(11 + 5 * i, 29 - 3 * i, seed: i), Path.Combine(Directory.CreateDirectory(images).FullName, $"{i}.png"));
        }
        foreach (var kind in Registered())
        {
            var file = Path.Combine(s_sources, $"{kind.Name}.zip");
            if (File.Exists(file))
                continue;
            using var folder = TestFolders.Temporary();
            var estimator = EstimatorCase.All.First(estimator => estimator.OptionsType == kind.Options);
            using var model = (IDisposable)estimator.Fit(options => Shrink(kind, options, folder.Path));
            new MLContext().Model.Save((ITransformer)model, null, file);
            using var program = TestProgram.Start("ReloadProgram", file, images);
            await File.WriteAllTextAsync(Path.ChangeExtension(file, ".txt"), await program.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
            await program.AssertSuccess();
        }
    }

    [Fact]
    public void AFileOfANewerVersionSaysSo()
    {
        var error = Load(head => head["Version"] = 99);
        Assert.Contains("'vit-classifier' of version 99", error.Message, StringComparison.Ordinal);
        Assert.Contains("Update the package", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileOfAnUnknownKindSaysSo()
    {
        var error = Load(head => head["Kind"] = "hologram");
        Assert.Contains("'hologram'", error.Message, StringComparison.Ordinal);
        Assert.Contains("Update the package", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Settings.json", "ScoringBatchSize")]
    [InlineData("Settings.json", "SkipInvalidImages")]
    [InlineData("Config.json", "NormEps")]
    [InlineData("Labels.json", "Kind")]
    [InlineData("Model.json", "Parts")]
    public void ASettingThatIsMissingIsAnErrorAndNotADefault(string entry, string key)
    {
        var error = Load(entry, content => Assert.True(content.Remove(key)));
        Assert.Contains(key, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Settings.json")]
    [InlineData("Config.json")]
    public void ASettingThatIsNotKnownIsAnErrorAndNotPassedOver(string entry) =>
        Assert.Contains("Unheard", Load(entry, content => content["Unheard"] = 1).Message, StringComparison.Ordinal);

    [Fact]
    public void APartThatIsListedMustBeThere()
    {
        using var folder = TestFolders.Temporary();
        var path = Copy(folder);
        using (var zip = ZipFile.Open(path, ZipArchiveMode.Update))
            Entry(zip, "Labels.json").Delete();
        Assert.Contains("Labels.json", LoadError(path).Message, StringComparison.Ordinal);
    }

    /// <summary>A kind at its third version: the first had another name for a setting, and none for a hyper-parameter until the second.</summary>
    [Fact]
    public void FilesOfOlderVersionsAreUpgradedStepByStep()
    {
        Assert.True(ModelKind.All.TryAdd(UpgradedKind.KindName, new UpgradedKind()));
        using var folder = TestFolders.Temporary();
        var path = Copy(folder);
        Edit(path, "Model.json", head => (head["Kind"], head["Version"]) = (UpgradedKind.KindName, 1));
        Edit(path, "Settings.json", settings =>
        {
            settings["MirrorToo"] = true;
            settings.Remove("TestTimeAugmentation");
        });
        Edit(path, "Config.json", config => config.Remove("Interpolation"));
        using var model = Assert.IsType<ImageClassifierTransformer>(new MLContext().Model.Load(path, out _));
        Assert.True(((ViTClassifierOptions)model.Model.Options).TestTimeAugmentation);
        Assert.Equal(3, ContractData.Scores(model, ContractData.Images(new MLContext(), 3)).Count);
    }

    private sealed class UpgradedKind() : ModelKind<ViTClassifierOptions, ViTConfig, ViTNetwork>(KindName, version: 3)
    {
        public const string KindName = "upgraded";

        public override IReadOnlyList<ModelUpgrade> Upgrades =>
        [
            (entry, content) =>
            {
                if (entry != "Settings.json")
                    return;
                content["TestTimeAugmentation"] = content["MirrorToo"]!.DeepClone();
                content.Remove("MirrorToo");
            },
            (entry, content) =>
            {
                if (entry == "Config.json")
                    content["Interpolation"] = null;
            },
        ];

        public override BatchTransformer Create(IHostEnvironment environment, FittedModel model) => new ImageClassifierTransformer(environment, model);
    }

    /// <summary>The presets of trainers have a million weights: a tiny checkpoint to start from keeps the files small.</summary>
    private static void Shrink(ModelKind kind, OptionBag options, string folder)
    {
        using var generator = new Generator(5);
        switch (kind.Name)
        {
            case "vit-classifier":
                using (var network = new ViTNetwork(new() { ImageSize = 16, PatchSize = 8, Width = 16, Depth = 2, Heads = 2, MlpWidth = 16, Classes = 2 }).Drawn(generator))
                    new ViTModel(default).Save(network, ["a", "b"], ImagePreprocessing.ExactSize(16, 16), folder);
                break;
            case "swin-classifier":
                using (var network = new SwinNetwork(new() { ImageSize = 16, PatchSize = 2, WindowSize = 2, Width = 8, Depths = [2, 1], Heads = [1, 2], MlpRatio = 2, Classes = 2 }).Drawn(generator))
                    new SwinModel(default).Save(network, ["a", "b"], ImagePreprocessing.ExactSize(16, 16), folder);
                break;
            case "resnet-classifier":
                using (var network = new ResNetNetwork(ResNetConfig.Of(ResNetBlockKind.Basic, [1, 1, 1, 1], width: 4) with { ImageSize = 16, SmallStem = true, Classes = 2 }).Drawn(generator))
                    new ResNetModel().Save(network, ["a", "b"], ImagePreprocessing.ExactSize(16, 16), folder);
                break;
            case "clip":
                ClipContractSetup.Write(folder, 16);
                break;
            default:
                return;
        }
        options.Set("Checkpoint", folder).SetIfPresent("PatchSize", null).Set("ImageSize", null);
    }

    private static IEnumerable<ModelKind> Registered() => ModelKind.All.Values.Where(kind => kind.GetType().Assembly == typeof(ModelKind).Assembly);

    private static Exception Load(Action<JsonObject> change) => Load("Model.json", change);

    private static Exception Load(string entry, Action<JsonObject> change)
    {
        using var folder = TestFolders.Temporary();
        var path = Copy(folder);
        Edit(path, entry, change);
        return LoadError(path);
    }

    // ML.NET calls the loader by reflection and does not unwrap what it throws.
    private static FormatException LoadError(string path) =>
        Assert.IsType<FormatException>(Assert.Throws<TargetInvocationException>(() => new MLContext().Model.Load(path, out _)).InnerException);

    private static string Copy(TestFolders.TemporaryFolder folder)
    {
        var path = folder.File("model.zip");
        File.Copy(Path.Combine(s_files, "vit-classifier.zip"), path);
        return path;
    }

    private static void Edit(string path, string name, Action<JsonObject> change)
    {
        using var zip = ZipFile.Open(path, ZipArchiveMode.Update);
        var entry = Entry(zip, name);
        JsonObject content;
        using (var stream = entry.Open())
            content = JsonNode.Parse(stream)!.AsObject();
        change(content);
        var full = entry.FullName;
        entry.Delete();
        using var writer = new StreamWriter(zip.CreateEntry(full).Open());
        writer.Write(content.ToJsonString());
    }

    private static ZipArchiveEntry Entry(ZipArchive zip, string name) => zip.Entries.Single(entry => entry.Name.EndsWith(name, StringComparison.Ordinal));

    /// <summary>Numbers are compared as numbers; of images and texts of masks, of which a pixel at a border may differ, that they are there.</summary>
    private static void AssertSame(string[] expected, string[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        foreach (var (expectedLine, actualLine) in expected.Zip(actual))
        {
            var (wanted, found) = (expectedLine.Split(' '), actualLine.Split(' '));
            if (expectedLine.Contains('{', StringComparison.Ordinal))
            {
                Assert.Contains('{', actualLine);
                continue;
            }
            Assert.Equal(wanted.Length, found.Length);
            foreach (var (a, b) in wanted.Zip(found))
            {
                if (Number(a) is { } x && Number(b) is { } y)
                    Assert.True(x.Equals(y) || Math.Abs(x - y) <= Tolerance * Math.Max(1, Math.Abs(x)), $"{x} became {y} in {actualLine}");
                else if (a.Length != 64)    // the hash of an image
                    Assert.Equal(a, b);
            }
        }
    }

    private static double? Number(string token) => token.Length == 8 && uint.TryParse(token, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var bits)
        ? BitConverter.UInt32BitsToSingle(bits)
        : null;
}
