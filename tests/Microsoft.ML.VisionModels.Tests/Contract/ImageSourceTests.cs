using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Tests.Imaging;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>An image is the same whatever way it comes: as a path, bytes, or an MLImage of this package's loader or ML.NET's.</summary>
public sealed class ImageSourceTests(FittedModels models) : IDisposable
{
    private readonly MLContext _context = new(seed: 1);
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    public void Dispose() => _folder.Dispose();

    private class Texts
    {
        public string Label { get; set; } = "";
        public string Text { get; set; } = "";
    }

    private sealed class OfPath : Texts
    {
        public string Image { get; set; } = "";
    }

    private sealed class OfBytes : Texts
    {
        public byte[] Image { get; set; } = [];
    }

    private sealed class OfImage : Texts
    {
        public MLImage? Image { get; set; }
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.ReadsImages))]
    public void EverySourceGivesTheSameScores(string estimator)
    {
        var files = Save();
        var model = models[estimator];
        var expected = Scores(Paths(files));
        Assert.Equal(files.Length, expected.Count);

        ContractData.AssertSame(expected, Scores(Bytes(files)));
        ContractData.AssertSame(expected, Scores(Loaded(files)));
        ContractData.AssertSame(expected, Scores(Transform(Paths(files), _context.Transforms.CopyColumns("Path", "Image").Append(_context.Transforms.LoadRawImageBytes("Image", "", "Path")))));
        ContractData.AssertSame(expected, Scores(Transform(Paths(files), _context.Transforms.CopyColumns("Path", "Image").Append(_context.Transforms.LoadImages("Image", "", "Path")))));
        var folder = Transform(_context.Data.LoadImageFolder(_folder.Path), _context.Transforms.CopyColumns("Text", "ImagePath"));
        ContractData.AssertSame(expected, Scores(folder));
        ContractData.AssertSame(expected, Scores(Transform(folder, _context.Transforms.DropColumns("ImagePath"))));

        List<object[]> Scores(IDataView data) => ContractData.Scores(model, data);
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.ReadsImages))]
    public void APredictionEngineTakesBytesAndImages(string estimator)
    {
        var files = Save();
        var expected = ContractData.Scores(models[estimator], Paths(files));
        var (bytes, images) = (PredictionEngineTests.Engines<OfBytes>(models[estimator], Bytes(files)), PredictionEngineTests.Engines<OfImage>(models[estimator], Loaded(files)));
        for (var i = 0; i < files.Length; i++)
        {
            using var stream = File.OpenRead(files[i]);
            using var image = VisionImage.Load(stream);
            ContractData.AssertClose(expected[i], Array.ConvertAll(bytes, predict => predict(new() { Image = File.ReadAllBytes(files[i]), Text = files[i] })));
            ContractData.AssertClose(expected[i], Array.ConvertAll(images, predict => predict(new() { Image = image, Text = files[i] })));
        }
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.Learns))]
    public void TrainingSeesTheSame(string estimator)
    {
        if (!EstimatorCase.Of(estimator).ReadsImages)
            return;
        var files = Save();
        var expected = Fitted(Paths(files));
        Assert.Equal(expected, Fitted(Bytes(files)));
        Assert.Equal(expected, Fitted(Loaded(files)));
        Assert.Equal(expected, Fitted(Bytes(files), trainer => trainer.ImageCacheMegabytes = 0));

        IReadOnlyList<string> Fitted(IDataView data, Action<TrainerOptions>? change = null)
        {
            var options = EstimatorCase.Of(estimator).Options().Epochs(1).For<TrainerOptions>(trainer => change?.Invoke(trainer));
            var model = EstimatorCase.Of(estimator).Create(new MLContext(seed: 1), options).Fit(data);
            using var owned = model as IDisposable;
            return ModelZip.Entries(model);
        }
    }

    /// <summary>What goes wrong after decoding is told as what goes wrong in it: a long image does not fit into the padded size.</summary>
    [Theory, EveryEstimator(Only = nameof(EstimatorCase.ReadsImages))]
    public void AnImageThatCannotBePreprocessedIsNamedOrPassedOver(string estimator)
    {
        const int bad = 5;
        var files = ContractData.Save(_folder, 8);
        TestImages.Save(TestImages.Noise(3 * ContractData.Side, 4), files[bad]);
        var data = ContractData.Paths(_context, files);

        var strict = Maker(skip: false).Fit(ContractData.Paths(_context, files[..bad]));
        using var owned = strict as IDisposable;
        AssertNamed(() => ContractData.Scores(strict, data));
        if (EstimatorCase.Of(estimator).Learns)
            AssertNamed(() => Maker(skip: false).Fit(data));

        var lenient = Maker(skip: true).Fit(data);
        using var alsoOwned = lenient as IDisposable;
        var scores = ContractData.Scores(lenient, data);
        var added = ContractData.Added(lenient, data);
        Assert.All(scores[bad].Where((_, column) => !added[column].StartsWith("Text", StringComparison.Ordinal)), value => Assert.True(InvalidImageTests.IsMissing(value)));
        Assert.DoesNotContain(scores.Where((_, row) => row != bad).SelectMany(row => row), InvalidImageTests.IsMissing);

        IEstimator<ITransformer> Maker(bool skip) => EstimatorCase.Of(estimator).Create(_context, EstimatorCase.Of(estimator).Options().Epochs(1).For<ImageScoringOptions>(scoring =>
        {
            scoring.Preprocessing = new() { Resize = new ImageResize.ShortestEdge(ContractData.Side), Pad = ContractData.Side };
            scoring.SkipInvalidImages = skip;
        }));

        void AssertNamed(Action act)
        {
            var error = Assert.Throws<ImageDecodeException>(act);
            Assert.Equal((bad, files[bad]), (error.Row, error.FilePath));
            Assert.Contains("does not fit", error.Message);
        }
    }

    private IDataView Transform(IDataView data, IEstimator<ITransformer> estimator) => estimator.Fit(data).Transform(data);

    private IDataView Paths(string[] files) => _context.Data.LoadFromEnumerable(files.Select(file => new OfPath { Image = file, Label = LabelOf(file), Text = file }).ToList());

    private IDataView Bytes(string[] files) => _context.Data.LoadFromEnumerable(files.Select(file => new OfBytes { Image = File.ReadAllBytes(file), Label = LabelOf(file), Text = file }).ToList());

    private IDataView Loaded(string[] files) => _context.Data.LoadFromEnumerable(files.Select(file => new OfImage { Image = VisionImage.Load(file), Label = LabelOf(file), Text = file }).ToList());

    private static string LabelOf(string file) => Path.GetFileName(Path.GetDirectoryName(file)!);

    /// <summary>Images of which ML.NET's own loader loses something, and others, in the order of their paths.</summary>
    private string[] Save()
    {
        string[] special = ["exif6.jpg", "png6.png", "webp8.webp", "gif-partial-transparent.gif", "mode-rgba.png", "mode-palette.png", "mode-gray.png", "wide.png"];
        foreach (var (i, name) in special.Index())
        {
            var path = _folder.File(Path.Combine(i % 2 == 0 ? "blue" : "red", name));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Copy(Path.Combine(TestFolders.Images, name), path, overwrite: true);
        }
        return [.. Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
    }
}
