using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Imaging;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>Tiny labeled images with texts: in memory, as files named by text, and as files in class folders.</summary>
internal static class ContractData
{
    public const int Side = ToyImages.Side;

    /// <summary>Three batches of training, six of scoring and a half.</summary>
    public const int Count = 26;

    public class Row
    {
        [ImageType(Side, Side)]
        public MLImage? Image { get; set; }
        public string Label { get; set; } = "";
        public string Text { get; set; } = "";
        public string Id { get; set; } = "";
        public float Number { get; set; }
    }

    public class PathRow
    {
        public string Image { get; set; } = "";
        public string Label { get; set; } = "";
        public string Text { get; set; } = "";
    }

    public class LabeledRow<T>
    {
        [ImageType(Side, Side)]
        public MLImage Image { get; set; } = null!;
        public T Label { get; set; } = default!;
        public string Text { get; set; } = "";
    }

    public static List<Row> Rows(int count = Count, int seed = 0) => [.. Enumerable.Range(0, count).Select(i => new Row
    {
        Image = ToyImages.Image(i % 3, seed * 1000 + i),
        Label = ToyImages.Names[i % 3],
        Text = $"{ToyImages.Names[i % 3]} square number {seed * 1000 + i}",
        Id = $"row {i}",
        Number = i,
    })];

    public static IDataView Images(MLContext context, int count = Count, int seed = 0) => context.Data.LoadFromEnumerable(Rows(count, seed));

    /// <summary>Images with labels of another type, <paramref name="labels"/> over and over.</summary>
    public static IDataView Labeled<T>(MLContext context, params T[] labels) =>
        context.Data.LoadFromEnumerable(Enumerable.Range(0, 8 * labels.Length).Select(i => new LabeledRow<T>
        {
            Image = ToyImages.Image(i % labels.Length, i),
            Label = labels[i % labels.Length],
        }).ToList());

    /// <summary>Writes images as red/00.png, green/01.png, blue/02.png and so on, and gives their paths in this order.</summary>
    public static string[] Save(TestFolders.TemporaryFolder folder, int count = Count) => [.. Rows(count).Select((row, i) =>
    {
        var path = folder.File(Path.Combine("images", row.Label, $"{i:00}.png"));
        TestImages.Save(ImageDecoder.FromMLImage(row.Image!), path);
        return path;
    })];

    public static IDataView Paths(MLContext context, IEnumerable<string> paths) =>
        context.Data.LoadFromEnumerable(paths.Select(path => new PathRow
        {
            Image = path,
            Label = Path.GetFileName(Path.GetDirectoryName(path)!),
            Text = Path.GetFileName(path),
        }).ToList());

    /// <summary>The names of the columns that a model adds to an input.</summary>
    public static string[] Added(ITransformer model, IDataView input) =>
        [.. model.GetOutputSchema(input.Schema).Skip(input.Schema.Count).Select(column => column.Name)];

    /// <summary>What a model adds to each row.</summary>
    public static List<object[]> Scores(ITransformer model, IDataView input) => ViewValues.Read(model.Transform(input), Added(model, input));

    public static void AssertSame(IEnumerable<object[]> expected, IEnumerable<object[]> actual) => Assert.Equal(expected.Select(ViewValues.Exactly), actual.Select(ViewValues.Exactly));

    /// <summary>The same but for the last digits of floats.</summary>
    public static void AssertClose(IReadOnlyList<object[]> expected, IReadOnlyList<object[]> actual, float tolerance = 1e-5f)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var row = 0; row < expected.Count; row++)
            AssertClose(expected[row], actual[row], tolerance);
    }

    public static void AssertClose(object expected, object actual, float tolerance = 1e-5f)
    {
        switch (expected, actual)
        {
            case (float e, float a):
                Assert.Equal(e, a, tolerance);
                break;
            case (Array e, Array a):
                Assert.Equal(e.Length, a.Length);
                for (var i = 0; i < e.Length; i++)
                    AssertClose(e.GetValue(i)!, a.GetValue(i)!, tolerance);
                break;
            // What is between two bytes becomes one of them by its last digits.
            case (MLImage e, MLImage a):
                Assert.Equal((e.Width, e.Height), (a.Width, a.Height));
                Assert.InRange(e.Pixels.ToArray().Zip(a.Pixels.ToArray(), (x, y) => Math.Abs(x - y)).Max(), 0, 1);
                break;
            default:
                Assert.Equal(ViewValues.Exactly(expected), ViewValues.Exactly(actual));
                break;
        }
    }
}
