using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Clip;

public sealed class ClipZeroShotTests : IDisposable
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly MLContext _context = new(seed: 1);

    public ClipZeroShotTests() => ClipContractSetup.Write(_folder.Path, ToyImages.Side);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ScoresAreTheNetworksOwn()
    {
        string[] labels = ["red", "green", "blue"];
        string[] templates = ["a {}.", "the {} square"];
        var rows = ToyImages.Rows(5);
        using var model = Fit(new() { Labels = labels, Templates = templates, EmbeddingColumnName = "Embedding" });
        var scored = model.Transform(_context.Data.LoadFromEnumerable(rows));

        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var source = new ClipModel().Open(_folder.Path);
        using var network = source.Build();
        var tokenizer = source.OpenTokenizer(null);
        var classes = stack([.. labels.Select(label => ClipNetwork.Normalize(
            cat([.. templates.Select(template => ClipNetwork.Normalize(network.Text.forward(ClipTexts.Ids(tokenizer, [template.Replace("{}", label)], network.Config.Text))))]).mean([0])))]);
        var pixels = new ImageProcessor(model.Preprocessing).ProcessBatch([.. rows.Select(row => ImageDecoder.FromMLImage(row.Image))]);
        var images = network.Vision.forward(pixels);

        TensorAssert.Close(network.Logits(images, classes).softmax(-1), Matrix(scored, "Score"), 1e-5);
        TensorAssert.Close(ClipNetwork.Normalize(images), Matrix(scored, "Embedding"), 1e-5);
        Assert.Equal(labels, model.Labels);
        VBuffer<ReadOnlyMemory<char>> names = default;
        scored.Schema["Score"].Annotations.GetValue("SlotNames", ref names);
        Assert.Equal(labels, names.DenseValues().Select(name => name.ToString()));
    }

    [Fact]
    public void LabelsMayBeCalledOtherwiseInSentences()
    {
        using var plain = Fit(new() { Labels = ["red", "blue"] });
        using var called = Fit(new() { Labels = ["0", "blue"], LabelWords = new Dictionary<string, string> { ["0"] = "red" } });
        var images = ToyImages.View(_context, 4);
        Assert.Equal(["0", "blue"], called.Labels);
        TensorAssert.Close(Matrix(plain.Transform(images), "Score"), Matrix(called.Transform(images), "Score"), 0);
        foreach (var (label, words) in new[] { ("1", "green"), ("0", " ") })
            Assert.Contains($"'{label}'", Assert.Throws<ArgumentException>(() => Fit(new() { Labels = ["0", "blue"], LabelWords = new Dictionary<string, string> { [label] = words } })).Message);
    }

    [Fact]
    public void LabelsComeFromAFileOrAColumnToo()
    {
        File.WriteAllText(_folder.File("labels.txt"), "blue\r\n\r\n  green \nred\n");
        using var file = Fit(new() { LabelsFile = _folder.File("labels.txt") });
        using var column = Fit(new() { LabelColumnName = "Label" });
        Assert.Equal(["blue", "green", "red"], file.Labels);
        Assert.Equal(file.Labels, column.Labels);
        var images = ToyImages.View(_context, 4);
        TensorAssert.Close(Matrix(file.Transform(images), "Score"), Matrix(column.Transform(images), "Score"), 0);
        Assert.Throws<FileNotFoundException>(() => Fit(new() { LabelsFile = _folder.File("nothing.txt") }));
        File.WriteAllText(_folder.File("empty.txt"), "\n \n");
        Assert.Contains("empty.txt", Assert.Throws<ArgumentException>(() => Fit(new() { LabelsFile = _folder.File("empty.txt") })).Message);
    }

    [Theory]
    [InlineData("no labels")]
    [InlineData("empty", "cat", " ")]
    [InlineData("'<|endoftext|>'", "cat", "<|endoftext|>")]
    public void LabelsThatTellNothingAreErrors(string message, params string[] labels) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => Fit(new() { Labels = labels })).Message);

    /// <summary>The published list of ImageNet's classes has names twice.</summary>
    [Fact]
    public void ALabelThatIsThereTwiceIsTwoClasses()
    {
        var heard = new List<string>();
        _context.Log += (_, e) => heard.Add(e.Message);
        using var once = Fit(new() { Labels = ["cat", "dog"] });
        using var twice = Fit(new() { Labels = ["cat", "dog", "cat"] });
        using var scope = NewDisposeScope();
        var images = ToyImages.View(_context, 4);
        var (two, three) = (Matrix(once.Transform(images), "Score"), Matrix(twice.Transform(images), "Score"));
        TensorAssert.Close(three[.., 0], three[.., 2], 0);
        TensorAssert.Close(two[.., 0] / two[.., 1], three[.., 0] / three[.., 1], 1e-4);
        Assert.Contains("'cat'", Assert.Single(heard, message => message.Contains("2 times", StringComparison.Ordinal)));
    }

    [Fact]
    public void OddLabelsAreLabels()
    {
        string[] labels = ["tab\tand\u0001control", "a cat \U0001F408", new string('x', 5000), "ärger", "日本"];
        using var model = Fit(new() { Labels = labels });
        using var scope = NewDisposeScope();
        var scores = Matrix(model.Transform(ToyImages.View(_context, 2)), "Score");
        Assert.Equal([2, 5], scores.shape);
        Assert.Equal(1, scores[0].sum().Item(), 1e-5);
    }

    [Fact]
    public void TenThousandLabelsAreScored()
    {
        using var model = Fit(new() { Labels = [.. Enumerable.Range(0, 10_000).Select(i => $"thing {i}")] });
        Assert.Equal([2, 10_000], Matrix(model.Transform(ToyImages.View(_context, 2)), "Score").shape);
    }

    [Fact]
    public void OptionsThatContradictAreErrors()
    {
        Assert.Throws<ArgumentException>(() => Fit(new()));
        Assert.Throws<ArgumentException>(() => Fit(new() { Labels = ["cat"], LabelColumnName = "Label" }));
        Assert.Contains("'cat'", Assert.Throws<ArgumentException>(() => Fit(new() { Labels = ["cat"], Templates = ["cat"] })).Message);
        Assert.Throws<ArgumentException>(() => Fit(new() { Labels = ["cat"], Templates = [] }));
        Assert.Contains("EmbeddingColumnName", Assert.Throws<ArgumentException>(() => Fit(new() { Labels = ["cat"], EmbeddingColumnName = "" })).Message);
    }

    /// <summary>Once the work has begun.</summary>
    [Theory]
    [InlineData("token")]
    [InlineData("context")]
    public void ManySentencesCanBeCanceled(string by)
    {
        using var source = new CancellationTokenSource();
        var read = 0;
        var templates = new Watched(ClipTemplates.ImageNet, () =>
        {
            if (++read < 1_000)
                return;
            if (by == "token")
                source.Cancel();
            else
                HostCancellation.Cancel(_context);
        });
        var options = new ClipZeroShotOptions { Labels = [.. Enumerable.Range(0, 2_000).Select(i => $"thing {i}")], Templates = templates, CancellationToken = source.Token };
        Assert.ThrowsAny<OperationCanceledException>(() => Fit(options));
        Assert.True(read >= 1_000);
    }

    [Fact]
    public void TextsCanBeCanceledBetweenTwoBatches()
    {
        string[] texts = [.. Enumerable.Range(0, 2_000).Select(i => $"thing {i}")];
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var stop = new CancellationTokenSource();
        var clip = new ClipModel().Open(_folder.Path);
        using var network = clip.Build();
        var batches = 0;
        Assert.ThrowsAny<OperationCanceledException>(() => ClipTexts.Embed(network.Text, clip.OpenTokenizer(null), texts, CPU, stop.Token.ThrowIfCancellationRequested, _ =>
        {
            batches++;
            stop.Cancel();
        }));
        Assert.Equal(1, batches);
    }

    [Fact]
    public void MissingTokenizerFilesAreNamed()
    {
        File.Delete(_folder.File("merges.txt"));
        Assert.Contains("merges.txt", Assert.Throws<FileNotFoundException>(() => Fit(new() { Labels = ["cat"] })).Message);
    }

    [Fact]
    public void ThePapersTemplatesAreEighty()
    {
        Assert.Equal(80, ClipTemplates.ImageNet.Distinct().Count());
        Assert.All(ClipTemplates.ImageNet, template => Assert.EndsWith(".", template));
        Assert.Superset(new HashSet<string> { "a photo of a {}.", "itap of my {}.", "the origami {}.", "a photo of the hard to see {}.", "a {} in a video game.", "art of the {}." }, ClipTemplates.ImageNet.ToHashSet());
    }

    private ClassifierTransformer Fit(ClipZeroShotOptions options)
    {
        options.Checkpoint = _folder.Path;
        return _context.Transforms.ClipZeroShot(options).Fit(ToyImages.View(_context, 6));
    }

    private static Tensor Matrix(IDataView view, string column)
    {
        var rows = view.GetColumn<float[]>(column).ToArray();
        return tensor(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length]);
    }

    /// <summary>Tells each time that it is read.</summary>
    private sealed class Watched(IReadOnlyList<string> list, Action read) : IReadOnlyList<string>
    {
        public int Count => list.Count;

        public string this[int index] => list[index];

        public IEnumerator<string> GetEnumerator()
        {
            read();
            return list.GetEnumerator();
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
