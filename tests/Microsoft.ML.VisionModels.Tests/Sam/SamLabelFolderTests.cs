using System.Text.Json;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Tests.Sam;

/// <summary>A folder of images becomes data sets, with the tiny trained SAM of the generator's reference case.</summary>
[Trait("Family", "Sam")]
public sealed class SamLabelFolderTests : IDisposable
{
    private const string Case = "sam-amg";

    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly SamEverythingTransformer _sam = Load();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Images => _folder.File("images");

    private string Output => _folder.File("output");

    public SamLabelFolderTests()
    {
        using var golden = GoldenCase.OpenOwn(Case);
        Directory.CreateDirectory(Path.Combine(Images, "a"));
        foreach (var name in Names)
            File.Copy(golden.File("plain.png"), Path.Combine(Images, name));
    }

    /// <summary>In the order in which they are done.</summary>
    private static string[] Names => ["a/three's.png", "a/two.png", "four.png", "one.png"];

    public void Dispose()
    {
        _sam.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void WritesWhatFindSegmentsFinds()
    {
        var expected = _sam.FindSegments(Path.Combine(Images, "one.png"), cancellationToken: Cancellation);
        Assert.NotEmpty(expected);
        var result = _sam.LabelFolder(Images, Output);
        Assert.Equal((Names.Length, Names.Length * expected.Count), (result.Images, result.Segments));
        Assert.Empty(result.Unreadable);

        using var coco = Coco();
        Assert.Equal(Names, coco.RootElement.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("file_name").GetString()));
        Assert.Equal("segment", Assert.Single(coco.RootElement.GetProperty("categories").EnumerateArray()).GetProperty("name").GetString());
        var annotations = coco.RootElement.GetProperty("annotations").EnumerateArray().ToArray();
        Assert.Equal(result.Segments, annotations.Select(annotation => annotation.GetProperty("id").GetInt64()).Distinct().Count());
        foreach (var (annotation, segment) in annotations.Take(expected.Count).Zip(expected))
        {
            Assert.Equal(segment.Mask, RunLengthMask.FromCocoJson(annotation.GetProperty("segmentation")));
            Assert.Equal(segment.PredictedIou, annotation.GetProperty("predicted_iou").GetSingle());
            Assert.Equal(1, annotation.GetProperty("image_id").GetInt32());
        }

        var labels = File.ReadAllLines(Path.Combine(Output, "labels", "one.txt"));
        Assert.Equal(expected.Count, labels.Length);
        Assert.All(labels, line => Assert.StartsWith("0 ", line));
        Assert.Contains("0: \"segment\"", File.ReadAllText(Path.Combine(Output, "data.yaml")));
        Assert.Equal(Names.Length, Directory.GetFiles(Path.Combine(Output, "labels"), "*.txt", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void AfterACancellationEachImageIsDoneOnce()
    {
        using var stop = new CancellationTokenSource();
        var first = new Log(progress => Cancel(stop, progress.Done == 2));
        Assert.ThrowsAny<OperationCanceledException>(() => _sam.LabelFolder(Images, Output, new() { Progress = first, CancellationToken = stop.Token }));
        Assert.Equal(Names[..2], first.LookedAt);
        Assert.False(File.Exists(Path.Combine(Output, "annotations.json")));
        var written = Directory.GetFiles(Output, "*.masks.json", SearchOption.AllDirectories).ToDictionary(path => path, File.GetLastWriteTimeUtc);
        Assert.Equal(2, written.Count);

        var second = new Log();
        var result = _sam.LabelFolder(Images, Output, new() { Progress = second });
        Assert.Equal(Names[2..], second.LookedAt);
        Assert.Equal(Names, second.Told.Select(progress => progress.FileName));
        Assert.Equal(Enumerable.Range(1, Names.Length), second.Told.Select(progress => progress.Done));
        Assert.All(written, file => Assert.Equal(file.Value, File.GetLastWriteTimeUtc(file.Key)));

        // The files are those of work that was not canceled.
        var whole = _folder.File("whole");
        Assert.Equal(result.Segments, _sam.LabelFolder(Images, whole).Segments);
        foreach (var file in Directory.GetFiles(whole, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(whole, path)))
            Assert.Equal(File.ReadAllText(Path.Combine(whole, file)), File.ReadAllText(Path.Combine(Output, file)));
    }

    [Fact]
    public void NamesAnImageThatCannotBeRead()
    {
        File.WriteAllText(Path.Combine(Images, "m.png"), "no image");
        Assert.Contains("m.png", Assert.Throws<ImageDecodeException>(() => _sam.LabelFolder(Images, Output)).Message);

        var log = new Log();
        var result = _sam.LabelFolder(Images, Output, new() { SkipInvalidImages = true, Progress = log });
        Assert.Equal(["m.png"], result.Unreadable);
        Assert.Equal(Names.Length, result.Images);
        Assert.Equal(["m.png", "one.png"], log.LookedAt);       // what came before the error was not lost
        Assert.Null(log.Told.Single(progress => progress.FileName == "m.png").Segments);
        using var coco = Coco();
        Assert.Equal(Names, coco.RootElement.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("file_name").GetString()));
    }

    [Fact]
    public void AnImageThatIsGoneIsNotInTheDataSet()
    {
        _sam.LabelFolder(Images, Output, new() { Yolo = false });
        Assert.False(Directory.Exists(Path.Combine(Output, "labels")));
        File.Delete(Path.Combine(Images, "one.png"));
        Assert.Equal(Names.Length - 1, _sam.LabelFolder(Images, Output, new() { Coco = false }).Images);
        Assert.False(File.Exists(Path.Combine(Output, "labels", "one.txt")));
    }

    [Fact]
    public void SaysBeforehandWhatCannotBeDone()
    {
        _sam.LabelFolder(Images, Output);
        var another = Assert.Throws<InvalidOperationException>(() => _sam.LabelFolder(Images, Output, new() { Category = "thing" }));
        Assert.Contains("other categories or settings", another.Message);

        File.Copy(Path.Combine(Images, "one.png"), Path.Combine(Images, "one.jpg"));
        var log = new Log();
        var same = Assert.Throws<InvalidOperationException>(() => _sam.LabelFolder(Images, _folder.File("other"), new() { Progress = log }));
        Assert.Contains("'one.jpg' and 'one.png'", same.Message);
        Assert.Empty(log.Told);
        Assert.Equal(Names.Length + 1, _sam.LabelFolder(Images, _folder.File("other"), new() { Yolo = false }).Images);

        Assert.Throws<DirectoryNotFoundException>(() => _sam.LabelFolder(_folder.File("nowhere"), Output));
        Assert.Throws<ArgumentException>(() => _sam.LabelFolder(Images, Output, new() { Category = " " }));
    }

    private JsonDocument Coco() => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Output, "annotations.json")));

    private static void Cancel(CancellationTokenSource source, bool now)
    {
        if (now)
            source.Cancel();
    }

    private static SamEverythingTransformer Load()
    {
        using var golden = GoldenCase.OpenOwn(Case);
        var parameters = golden.ReadJson("amg.json").EnumerateArray().First().GetProperty("parameters");
        var context = new MLContext(seed: 1);
        return context.Transforms.SamEverything(new SamEverythingOptions
        {
            Checkpoint = golden.Path,
            Device = "cpu",
            PointsPerSide = parameters.GetProperty("points_per_side").GetInt32(),
            StabilityOffset = parameters.GetProperty("stability_score_offset").GetDouble(),
            PredictedIouThreshold = parameters.GetProperty("pred_iou_thresh").GetDouble(),
            StabilityThreshold = parameters.GetProperty("stability_score_thresh").GetDouble(),
        }).Fit(context.Data.LoadFromEnumerable<Row>([]));
    }

    private sealed class Row
    {
        public string Image { get; set; } = "";
    }

    /// <summary>What was told, at once, unlike <see cref="Progress{T}"/>.</summary>
    private sealed class Log(Action<SamLabelProgress>? then = null) : IProgress<SamLabelProgress>
    {
        public List<SamLabelProgress> Told { get; } = [];

        public IEnumerable<string> LookedAt => Told.Where(progress => !progress.IsResumed).Select(progress => progress.FileName);

        public void Report(SamLabelProgress value)
        {
            Told.Add(value);
            then?.Invoke(value);
        }
    }
}
