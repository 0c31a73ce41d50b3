using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Imaging;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>A folder of <see cref="TestFolders.Golden"/>: a tiny official model, its inputs, and what the official implementation computes from them.</summary>
internal sealed class GoldenCase : IDisposable
{
    // The noise of float32 that every comparison allows, and what is allowed where the reference's own noise is not known.
    private const double SmallestTolerance = 2e-5;
    private const double ToleranceWithoutFloor = 1e-4;

    private const string InputPrefix = "in.", OutputPrefix = "out.";

    private readonly Checkpoint _tensors;
    private readonly HashSet<string> _compared = [];

    private GoldenCase(string folder)
    {
        Path = System.IO.Path.GetFullPath(folder);
        Name = System.IO.Path.GetFileName(Path);
        _tensors = Checkpoint.Open(File("io.safetensors"));
        Floors = HasFile("floors.json")
            ? ReadJson("floors.json").EnumerateObject().Where(entry => entry.Value.ValueKind == JsonValueKind.Number).ToDictionary(entry => entry.Name, entry => entry.Value.GetDouble())
            : [];
    }

    public string Name { get; }

    public string Path { get; }

    /// <summary>By the tensor's full name: the difference between the reference in float32 and in float64.</summary>
    public IReadOnlyDictionary<string, double> Floors { get; }

    /// <summary>The case's config.json.</summary>
    public JsonElement Config => ReadJson("config.json");

    /// <summary>All tensors of io.safetensors, by full name.</summary>
    public IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors.Tensors;

    /// <summary>The names of all outputs, <c>out.*</c>, without this prefix.</summary>
    public IEnumerable<string> Outputs => Tensors.Keys.Where(IsOutput).Select(name => name[OutputPrefix.Length..]);

    /// <summary>The cases of a family: folders named exactly so, or so and a hyphen and more. Empty where another set of cases has none.</summary>
    public static TheoryData<string> For(params IReadOnlyList<string> prefixes) => [.. Names().Where(name => prefixes.Any(prefix => Belongs(name, prefix)))];

    /// <summary>Those of the cases that hold a file: not every case of a family holds all.</summary>
    public static TheoryData<string> Holding(string file, TheoryData<string> cases) =>
        [.. cases.Select(row => row.Data).Where(name => System.IO.File.Exists(System.IO.Path.Combine(TestFolders.Golden, name, file)))];

    public static bool Belongs(string name, string prefix) => name == prefix || name.StartsWith(prefix + "-", StringComparison.Ordinal);

    public static IEnumerable<string> Names() => Directory.Exists(TestFolders.Golden)
        ? Directory.GetDirectories(TestFolders.Golden).Select(folder => System.IO.Path.GetFileName(folder)).Order(StringComparer.Ordinal)
        : [];

    public static GoldenCase Open(string name) => new(System.IO.Path.Combine(TestFolders.Golden, name));

    /// <summary>A case of tests/Golden, whatever VISIONMODELS_GOLDEN names: for its tiny model rather than for what is known of it.</summary>
    public static GoldenCase OpenOwn(string name) => new(System.IO.Path.Combine(TestFolders.OwnGolden, name));

    public static GoldenCase OpenFolder(string path) => new(path);

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public bool HasFile(string name) => System.IO.File.Exists(File(name));

    /// <summary>Whether there is a tensor of this full name.</summary>
    public bool Has(string tensor) => Tensors.ContainsKey(tensor);

    /// <summary>The tensors whose full names match, with what was matched.</summary>
    public IEnumerable<(string Tensor, Match Match)> Matching(Regex pattern) =>
        Tensors.Keys.Select(tensor => (tensor, pattern.Match(tensor))).Where(pair => pair.Item2.Success);

    /// <summary>The image of this name, whatever its format.</summary>
    public RgbImage Image(string name) => ImageDecoder.Decode(TestImages.Find(Path, name));

    public JsonElement ReadJson(string name) => InputFile.ReadJson(File(name));

    public Checkpoint OpenModel() => Checkpoint.Open(File("model.safetensors"));

    /// <summary>The tensor <c>in.{name}</c>, or whatever bears the full name.</summary>
    public torch.Tensor Input(string name) => _tensors.Read(Full(InputPrefix, name));

    /// <summary>The tensor <c>out.{name}</c>, or whatever bears the full name.</summary>
    public torch.Tensor Expected(string name) => _tensors.Read(Full(OutputPrefix, name));

    /// <summary>The input called <c>pixel_values</c>, or that with the name before or after it.</summary>
    public torch.Tensor Pixels(string name)
    {
        string[] names = name == "" ? ["pixel_values"] : [$"pixel_values_{name}", $"{name}.pixel_values", $"{name}_pixel_values", name, "pixel_values"];
        return Input(names.First(candidate => Has(InputPrefix + candidate)));
    }

    /// <summary>Fails unless the network, saved in these names, has the tensors of the case's model, but for those that the dialect ignores.</summary>
    public void AssertSavesUnderTheOfficialNames(torch.nn.Module network, Dialect dialect)
    {
        using var folder = TestFolders.Temporary();
        CheckpointLoader.Save(network, dialect, folder.File("model.safetensors"));

        using var official = OpenModel();
        using var saved = Checkpoint.Open(folder.File("model.safetensors"));
        var prefix = dialect.PrefixIn(official);
        Assert.Equal(official.Tensors.Keys.Where(tensor => !dialect.Ignores(tensor, prefix)).Order(StringComparer.Ordinal), saved.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.All(saved.Tensors.Keys, tensor => Assert.True(official.Read(tensor).equal(saved.Read(tensor)).all().item<bool>(), tensor));
    }

    /// <summary>Compares with <c>out.{name}</c> at the project's tolerance for golden cases: max(2e-5, 10 x floor), 1e-4 where the floor is not known.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="actual">What our network computes.</param>
    /// <param name="noise">
    /// What stands for the floor of a case without floors, where its network is so ill-conditioned that 1e-4 is less than float32 can
    /// tell: how far our own network in float32 is from itself in float64. What is computed wrongly is the same in both, and is found.
    /// </param>
    /// <param name="relative">Where NOTES say so, what is allowed as a share of the largest value instead.</param>
    public void AssertClose(string name, torch.Tensor actual, double noise = 0, double relative = 0)
    {
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        var full = Full(OutputPrefix, name);
        _compared.Add(full);
        var expected = _tensors.Read(full);
        Assert.True(expected.shape.SequenceEqual(actual.shape), $"{Name}: {full} has shape {actual.shape.Text()}, expected {expected.shape.Text()}.");
        if (expected.NumberOfElements == 0)
            return;

        var tolerance = Floors.TryGetValue(full, out var floor) ? Math.Max(SmallestTolerance, 10 * floor) : Math.Max(ToleranceWithoutFloor, 10 * noise);
        if (relative > 0)
            tolerance = relative * expected.abs().max().to(torch.float64).item<double>();
        var ours = actual.to(torch.float64).cpu();
        var theirs = expected.to(torch.float64);
        // Equal infinities differ by nothing; a NaN equals only a NaN.
        var same = ours.eq(theirs).logical_or(ours.isnan().logical_and(theirs.isnan()));
        var difference = torch.where(same, torch.zeros_like(ours), (ours - theirs).abs()).max().item<double>();
        Assert.True(difference <= tolerance, $"{Name}: {full} differs by {difference:g3}, allowed are {tolerance:g3}.");
    }

    /// <summary>Compares those of our outputs, by their names, that the case holds.</summary>
    public void AssertCloseWherePresent(IEnumerable<KeyValuePair<string, torch.Tensor>> actual)
    {
        foreach (var (name, value) in actual.Where(output => Has(Full(OutputPrefix, output.Key))))
            AssertClose(name, value);
    }

    /// <summary>
    /// Fails where nothing was compared, or an <c>out.*</c> tensor was neither compared nor is listed here with the reason why not. Other
    /// cases than those that the tests were written with may hold intermediate tensors that are not known here: they are reported.
    /// </summary>
    public void AssertAllCompared(params (string Name, string Reason)[] notCompared)
    {
        Assert.True(_compared.Count > 0, $"{Name}: nothing was compared.");
        var excused = notCompared.Select(entry => Full(OutputPrefix, entry.Name)).ToHashSet();
        AssertNoneForgotten(Tensors.Keys.Where(name => IsOutput(name) && !_compared.Contains(name) && !excused.Contains(name)));
    }

    /// <summary>The tensors that nothing was compared with so far, inputs among them.</summary>
    public IEnumerable<string> NotCompared => Tensors.Keys.Where(name => !_compared.Contains(name));

    /// <summary>Fails where there are tensors that were not compared, or reports them, see <see cref="AssertAllCompared"/>.</summary>
    public void AssertNoneForgotten(IEnumerable<string> tensors)
    {
        if (string.Join(", ", tensors) is not { Length: > 0 } forgotten)
            return;
        if (TestFolders.HasOtherGolden && System.IO.Path.GetDirectoryName(Path) == System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(TestFolders.Golden)))
            TestContext.Current.AddWarning($"{Name}: not compared: {forgotten}.");
        else
            Assert.Fail($"{Name}: not compared: {forgotten}.");
    }

    public void Dispose() => _tensors.Dispose();

    private static bool IsOutput(string name) => name.StartsWith(OutputPrefix, StringComparison.Ordinal);

    private string Full(string prefix, string name) => Has(prefix + name) ? prefix + name : name;
}
