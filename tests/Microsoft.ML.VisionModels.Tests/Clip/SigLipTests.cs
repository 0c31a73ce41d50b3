using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Clip;

/// <summary>The official tiny SigLIP with a tokenizer of its 64 tokens, from end to end.</summary>
public sealed class SigLipTests : IDisposable
{
    private static readonly string[] Labels = ["red", "green", "a blue square!"];

    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly MLContext _context = new(seed: 1);

    public SigLipTests()
    {
        var golden = Path.Combine(TestFolders.OwnGolden, "siglip");
        foreach (var name in new[] { "config.json", "model.safetensors", "preprocessor_config.json" })
            File.Copy(Path.Combine(golden, name), _folder.File(name));
        SentencePieceCases.OpenSigLip().SaveFolder(_folder.Path, 10);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EachLabelIsJudgedByItself()
    {
        var rows = ToyImages.Rows(4);
        using var model = _context.Transforms.ClipZeroShot(_folder.Path, Labels).Fit(ToyImages.View(_context, 4));
        var scores = Matrix(model.Transform(_context.Data.LoadFromEnumerable(rows)), "Score");

        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = new ClipModel().Open(_folder.Path).Build();
        var ids = Labels.Select(label => Ids($"a photo of a {label}.")).ToArray();
        var pixels = new ImageProcessor(model.Preprocessing).ProcessBatch([.. rows.Select(row => ImageDecoder.FromMLImage(row.Image))]);
        var expected = network.Logits(network.Vision.forward(pixels), network.Text.forward(cat(ids))).sigmoid();
        TensorAssert.Close(expected, scores, 1e-5);
    }

    [Fact]
    public void TextsAreAlwaysPaddedToTheirFullLength()
    {
        var texts = _context.Data.LoadFromEnumerable(new[] { new TextRow { Text = "a cat" }, new TextRow { Text = "" }, new TextRow { Text = new string('x', 500) } });
        var heard = new List<string>();
        _context.Log += (_, e) => heard.Add(e.Message);
        using var model = _context.Transforms.ClipTextEmbedding(_folder.Path).Fit(texts);

        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = new ClipModel().Open(_folder.Path).Build();
        var together = Matrix(model.Transform(texts), "Embedding");
        TensorAssert.Close(ClipNetwork.Normalize(network.Text.forward(cat([Ids("a cat"), Ids(""), Ids(new string('x', 500))]))), together, 1e-5);

        Assert.Contains("xxx", Assert.Single(heard, message => message.Contains("cut off", StringComparison.Ordinal)));

        var alone = Matrix(model.Transform(_context.Data.LoadFromEnumerable(new[] { new TextRow { Text = "a cat" } })), "Embedding");
        TensorAssert.Close(together[..1], alone, 1e-5);
    }

    [Fact]
    public void TextsAreReadFromASavedModelToo()
    {
        var texts = _context.Data.LoadFromEnumerable(new[] { new TextRow { Text = "a photo of a cat" }, new TextRow { Text = "the DOG" } });
        using var model = _context.Transforms.ClipTextEmbedding(_folder.Path).Fit(texts);
        _context.Model.Save(model, texts.Schema, _folder.File("model.zip"));
        var loaded = new MLContext().Model.Load(_folder.File("model.zip"), out _);
        TensorAssert.Close(Matrix(model.Transform(texts), "Embedding"), Matrix(loaded.Transform(texts), "Embedding"), 0);
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void TrainingGoesOnFromItAndItsFolderLoads()
    {
        var options = new ClipTrainerOptions { Checkpoint = _folder.Path, Epochs = 1, BatchSize = 6, ValidationFraction = 0, LearningRate = 1e-3 };
        using var model = _context.Transforms.ClipTrainer(options).Fit(TrainedClip.Pairs(_context, 12));
        Assert.NotEmpty(model.History!.Epochs);

        using var folder = TestFolders.Temporary();
        model.SaveCheckpoint(folder.Path);
        Assert.True(new ClipModel().Open(folder.Path).Config.Sigmoid);
        var images = ToyImages.View(_context, 3);
        using var words = _context.Transforms.ClipZeroShot(folder.Path, Labels).Fit(images);
        using var before = _context.Transforms.ClipZeroShot(_folder.Path, Labels).Fit(images);
        Assert.False(Matrix(words.Transform(images), "Score").allclose(Matrix(before.Transform(images), "Score"), 1e-6, 1e-6));
    }

    [Fact]
    public void ItsTemperatureHasNoLimit()
    {
        using var network = new ClipModel().Open(_folder.Path).Build();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var scale = network.get_parameter("logit_scale")!;
        scale.copy_(tensor(5f));
        network.ClampTemperature();
        Assert.Equal(5, scale.Item());
    }

    [Theory]
    [InlineData(ClipFewShotMethod.TipAdapter)]
    [InlineData(ClipFewShotMethod.LinearProbe)]
    public void LearnsFromExamples(ClipFewShotMethod method)
    {
        var images = ToyImages.View(_context, 9);
        using var model = _context.Transforms.ClipFewShot(new ClipFewShotOptions { Checkpoint = _folder.Path, Method = method, Epochs = 2 }).Fit(images);
        Assert.Equal([9, 3], Matrix(model.Transform(images), "Score").shape);
    }

    [Fact]
    public void LearnedWordsAreRefused()
    {
        var estimator = _context.Transforms.ClipFewShot(_folder.Path, ClipFewShotMethod.CoOp);
        Assert.Contains("CoOp", Assert.Throws<NotSupportedException>(() => estimator.Fit(ToyImages.View(_context, 6))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ATokenizerOfMoreTokensIsRefused()
    {
        File.Copy(SentencePieceCases.File("unigram"), _folder.File("spiece.model"), overwrite: true);
        Assert.Contains("64", Assert.Throws<CheckpointException>(() => new ClipModel().Open(_folder.Path).OpenTokenizer(null)).Message, StringComparison.Ordinal);
    }

    private static Tensor Ids(string text)
    {
        var row = new long[10];
        SentencePieceCases.OpenSigLip().Encode(text, row);
        return tensor(row, [1, 10]);
    }

    private static Tensor Matrix(IDataView view, string column)
    {
        var rows = view.GetColumn<float[]>(column).ToArray();
        return tensor(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length]);
    }

    private sealed class TextRow
    {
        public string Text { get; set; } = "";
    }
}
