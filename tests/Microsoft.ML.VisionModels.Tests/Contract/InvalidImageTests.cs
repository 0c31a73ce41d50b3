namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>An image that cannot be read is named, or passed over where the options say so.</summary>
public sealed class InvalidImageTests(FittedModels models) : IDisposable
{
    private const int Bad = 5; // the row: in the second of the batches of four

    private readonly MLContext _context = new(seed: 1);
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    public void Dispose() => _folder.Dispose();

    [Theory, EveryEstimator("folder", "folder without paths", "paths", "LoadImages", "null", Only = nameof(EstimatorCase.ReadsImages))]
    public void IsNamed(string estimator, object source)
    {
        var (data, file) = Data((string)source);
        var maker = EstimatorCase.Of(estimator).Create(_context, EstimatorCase.Of(estimator).Options());
        Action[] acts = EstimatorCase.Of(estimator).Learns
            ? [() => ContractData.Scores(models[estimator], data), () => maker.Fit(data)]
            : [() => ContractData.Scores(models[estimator], data)];
        foreach (var act in acts)
        {
            var error = Assert.Throws<ImageDecodeException>(act);
            Assert.Equal(Bad, error.Row);
            Assert.Contains($"Row {Bad}", error.Message);
            Assert.Contains(file, error.Message);
        }
    }

    [Theory, EveryEstimator("folder", "folder without paths", "paths", "LoadImages", "null", Only = nameof(EstimatorCase.ReadsImages))]
    public void IsPassedOver(string estimator, object source)
    {
        var (data, _) = Data((string)source);
        var options = EstimatorCase.Of(estimator).Options().For<ImageScoringOptions>(scoring => scoring.SkipInvalidImages = true);
        var model = EstimatorCase.Of(estimator).Create(_context, options).Fit(data);
        using var owned = model as IDisposable;

        var heard = new List<string>();
        _context.Log += (_, e) => heard.Add(e.Message);
        var scores = ContractData.Scores(model, data);
        ContractData.Scores(model, data);
        Assert.Contains($"Row {Bad}", Assert.Single(heard, message => message.Contains("SkipInvalidImages", StringComparison.Ordinal)));

        // What is told of a row's text does not depend on its image.
        var ofImages = scores[Bad].Where((_, column) => !ContractData.Added(model, data)[column].StartsWith("Text", StringComparison.Ordinal));
        Assert.All(ofImages, value => Assert.True(IsMissing(value), ViewValues.Exactly(value)));

        var clean = ContractData.Scores(model, Data((string)source, bad: false).Data);
        Assert.DoesNotContain(clean.SelectMany(row => row), IsMissing);
        ContractData.AssertClose([.. clean.Where((_, row) => row != Bad)], [.. scores.Where((_, row) => row != Bad)]);
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.ReadsImages))]
    public void AFileThatIsNotThereIsNamed(string estimator)
    {
        var missing = _folder.File("missing.png");
        foreach (var paths in (string[][])[[missing], [.. ContractData.Save(_folder, 2), missing]])
        {
            var error = Assert.Throws<ImageDecodeException>(() => ContractData.Scores(models[estimator], ContractData.Paths(_context, paths)));
            Assert.Equal(paths.Length - 1, error.Row);
            Assert.Contains(missing, error.Message);
        }
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.ReadsImages))]
    public void OfARowWithoutAPathTheColumnIsNamed(string estimator)
    {
        var error = Assert.Throws<ImageDecodeException>(() => ContractData.Scores(models[estimator], ContractData.Paths(_context, [.. ContractData.Save(_folder, 2), ""])));
        Assert.Equal(2, error.Row);
        Assert.Contains("column Image", error.Message);
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.ReadsImages))]
    public void RowsBeforeItsBatchAreThere(string estimator)
    {
        var (data, _) = Data("null");
        var scored = models[estimator].Transform(data);
        using var cursor = scored.GetRowCursor(scored.Schema);
        var read = ViewValues.Reader(cursor, scored.Schema[ContractData.Added(models[estimator], data)[0]]);
        Assert.True(cursor.MoveNext());
        read();
    }

    internal static bool IsMissing(object? value) => value switch
    {
        null => true,
        float number => float.IsNaN(number),
        object[] vector => vector.All(IsMissing),
        uint key => key == 0,
        string text => text.Length == 0,
        _ => false,
    };

    /// <summary>Images of which one is damaged or missing, and how errors call it.</summary>
    private (IDataView Data, string Name) Data(string source, bool bad = true)
    {
        if (source == "null")
        {
            var rows = ContractData.Rows(12);
            if (bad)
                rows[Bad].Image = null;
            return (_context.Data.LoadFromEnumerable(rows), "Image");
        }

        string[] files = [.. ContractData.Save(_folder, 12).Order(StringComparer.Ordinal)];
        if (bad)
            File.WriteAllText(files[Bad], "This is no image.");
        return (source switch
        {
            "folder" => Folder(),
            "folder without paths" => Drop("ImagePath", Folder()),
            "paths" => ContractData.Paths(_context, files),
            _ => LoadImages(ContractData.Paths(_context, files)),
        }, source == "LoadImages" ? "Image" : files[Bad]); // ML.NET does not tell which file it failed on
    }

    private IDataView Folder()
    {
        var folder = _context.Data.LoadImageFolder(_folder.File("images"));
        return _context.Transforms.CopyColumns("Text", "Label").Fit(folder).Transform(folder);
    }

    private IDataView Drop(string column, IDataView data) => _context.Transforms.DropColumns(column).Fit(data).Transform(data);

    private IDataView LoadImages(IDataView data) => _context.Transforms.CopyColumns("Path", "Image")
        .Append(_context.Transforms.LoadImages("Image", imageFolder: "", "Path")).Fit(data).Transform(data);
}
