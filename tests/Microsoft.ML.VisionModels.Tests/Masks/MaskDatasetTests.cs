using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Microsoft.ML.VisionModels.Tests.Masks;

[Trait("Family", "Sam")]
public class MaskDatasetTests
{
    private static readonly RunLengthMask Ring = RunLengthMask.FromPixels(4, 5, [1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1]);
    private static readonly RunLengthMask Nothing = RunLengthMask.FromCounts(4, 5, [20]);

    private static readonly AnnotatedImage First = new("a/first.jpg", 4, 5, [new(Ring, 1) { Properties = new JsonObject { ["predicted_iou"] = 0.5 } }, new(Nothing)]);
    private static readonly AnnotatedImage Second = new("second.png", 4, 5, []);
    private static readonly AnnotatedImage Third = new("third.png", 2, 2, [new(RunLengthMask.FromCounts(2, 2, [0, 4])), new(RunLengthMask.FromCounts(2, 2, [0, 1, 3]))]);

    [Fact]
    public void CocoHasImagesAnnotationsAndCategories()
    {
        var root = SaveCoco(new CocoDataset(["thing", "ring \"x\""]));
        Assert.Equal(["a/first.jpg", "second.png", "third.png"], root.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("file_name").GetString()));
        Assert.Equal([(1, 4, 5), (2, 4, 5), (3, 2, 2)], root.GetProperty("images").EnumerateArray().Select(image => (Int(image, "id"), Int(image, "height"), Int(image, "width"))));
        Assert.Equal([(1, "thing"), (2, "ring \"x\"")], root.GetProperty("categories").EnumerateArray().Select(category => (Int(category, "id"), category.GetProperty("name").GetString())));

        var annotations = root.GetProperty("annotations").EnumerateArray().ToArray();
        Assert.Equal([(1, 1, 2, 9), (2, 3, 1, 4), (3, 3, 1, 1)], annotations.Select(x => (Int(x, "id"), Int(x, "image_id"), Int(x, "category_id"), Int(x, "area"))));
        Assert.Equal("[0,0,5,4]", annotations[0].GetProperty("bbox").GetRawText());
        Assert.Equal("[0,0,1,1]", annotations[2].GetProperty("bbox").GetRawText());
        Assert.Equal(0, Int(annotations[0], "iscrowd"));
        Assert.Equal(0.5, annotations[0].GetProperty("predicted_iou").GetDouble());
        Assert.Equal(Ring, RunLengthMask.FromCocoJson(annotations[0].GetProperty("segmentation")));
        Assert.Equal(JsonValueKind.String, annotations[0].GetProperty("segmentation").GetProperty("counts").ValueKind);
    }

    [Fact]
    public void CocoHasRunsOrPolygons()
    {
        var runs = SaveCoco(new CocoDataset(["a", "b"]) { Segmentation = CocoSegmentation.Uncompressed }).GetProperty("annotations")[0].GetProperty("segmentation");
        Assert.Equal(Ring.ToCocoJson(compressed: false), runs.GetRawText());

        var polygons = SaveCoco(new CocoDataset(["a", "b"]) { Segmentation = CocoSegmentation.Polygons, Tolerance = 0 }).GetProperty("annotations")[0].GetProperty("segmentation");
        MaskPolygon[] read = [.. polygons.EnumerateArray().Select(polygon => new MaskPolygon([.. polygon.EnumerateArray().Select(x => x.GetInt32()).Chunk(2).Select(xy => new System.Drawing.Point(xy[0], xy[1]))], []))];
        Assert.Equal(2, read.Length);
        Assert.Equal(Ring, RunLengthMask.FromPolygons(4, 5, read));
    }

    [Fact]
    public void YoloHasALineForEachObject()
    {
        using var folder = TestFolders.Temporary();
        new YoloDataset(["thing", "ring: \"x\""]) { Tolerance = 0 }.Save(folder.Path, [First, Second, Third]);
        Assert.Equal("train: \"images\"\nval: \"images\"\nnames:\n  0: \"thing\"\n  1: \"ring: \\\"x\\\"\"\n", File.ReadAllText(folder.File("data.yaml")));
        Assert.Equal("", File.ReadAllText(folder.File("labels/second.txt")));
        Assert.Equal(2, File.ReadAllLines(folder.File("labels/third.txt")).Length);

        var line = Assert.Single(File.ReadAllLines(folder.File("labels/a/first.txt"))).Split(' ');
        Assert.Equal("1", line[0]);
        double[] numbers = [.. line[1..].Select(x => double.Parse(x, CultureInfo.InvariantCulture))];
        Assert.All(numbers, x => Assert.InRange(x, 0, 1));
        System.Drawing.Point[] corners = [.. numbers.Chunk(2).Select(xy => new System.Drawing.Point((int)Math.Round(5 * xy[0]), (int)Math.Round(4 * xy[1])))];
        Assert.Equal(Ring, RunLengthMask.FromPolygons(4, 5, [new(corners, [])]));
        Assert.Empty(Directory.GetFiles(folder.Path, "*.tmp", SearchOption.AllDirectories));
    }

    [Fact]
    public void WorkGoesOnWhereItStopped()
    {
        using var folder = TestFolders.Temporary();
        var store = new AnnotationStore(folder.File("store"));
        Assert.Empty(store.ReadAll());
        store.Write(Third);
        store.Write(First);
        Assert.Equal([true, false, true], new[] { First, Second, Third }.Select(image => new AnnotationStore(folder.File("store")).Contains(image.FileName)));
        store.Write(Second);

        var read = store.ReadAll().ToArray();
        Assert.Equal(["a/first.jpg", "second.png", "third.png"], read.Select(image => image.FileName));
        Assert.Equal(First.Annotations.Select(x => (x.Mask, x.Category, x.Properties?.ToJsonString())), read[0].Annotations.Select(x => (x.Mask, x.Category, x.Properties?.ToJsonString())));

        var dataset = new CocoDataset(["a", "b"]);
        dataset.Save(folder.File("list.json"), [First, Second, Third]);
        dataset.Save(folder.File("store.json"), store.ReadAll());
        Assert.Equal(File.ReadAllText(folder.File("list.json")), File.ReadAllText(folder.File("store.json")));

        var file = Directory.GetFiles(folder.File("store"), "second*").Single();
        File.WriteAllText(file, "{");
        Assert.Contains("second", Assert.Throws<InvalidDataException>(() => store.Read("second.png")).Message);
        Assert.Throws<FileNotFoundException>(() => store.Read("fourth.png"));
    }

    [Fact]
    public void RefusesWhatIsWrong()
    {
        using var folder = TestFolders.Temporary();
        Assert.Contains("Mask 0", Assert.Throws<ArgumentException>(() => new AnnotatedImage("a.png", 5, 4, [new(Ring)])).Message);
        Assert.Contains("category -1", Assert.Throws<ArgumentException>(() => new AnnotatedImage("a.png", 4, 5, [new(Ring, -1)])).Message);
        foreach (var path in new[] { "../a.png", "/a.png", "a//b.png", "" })
            Assert.ThrowsAny<ArgumentException>(() => new AnnotatedImage(path, 4, 5, []));
        Assert.Throws<ArgumentException>(() => new CocoDataset([]));
        Assert.Contains("category 1", Assert.Throws<ArgumentException>(() => new CocoDataset(["a"]).Save(folder.File("x.json"), [First])).Message);
        Assert.Contains("'bbox'", Assert.Throws<ArgumentException>(() => new CocoDataset(["a"]).Save(folder.File("x.json"), [new("a.png", 4, 5, [new(Ring) { Properties = new() { ["bbox"] = 1 } }])])).Message);
        Assert.Contains("same label file", Assert.Throws<ArgumentException>(() => new YoloDataset(["a"]).Save(folder.Path, [new("a.png", 1, 1, []), new("a.jpg", 1, 1, [])])).Message);
        Assert.False(File.Exists(folder.File("x.json")));
        Assert.Empty(Directory.GetFiles(folder.Path, "*.tmp"));
    }

    private static JsonElement SaveCoco(CocoDataset dataset)
    {
        using var folder = TestFolders.Temporary();
        dataset.Save(folder.File("coco.json"), [First, Second, Third]);
        using var document = JsonDocument.Parse(File.ReadAllBytes(folder.File("coco.json")));
        return document.RootElement.Clone();
    }

    private static int Int(JsonElement element, string name) => element.GetProperty(name).GetInt32();
}
