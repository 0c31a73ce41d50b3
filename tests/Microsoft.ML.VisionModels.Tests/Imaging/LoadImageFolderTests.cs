using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

public sealed class LoadImageFolderTests : IDisposable
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly MLContext _mlContext = new(seed: 1);

    public void Dispose() => _folder.Dispose();

    private sealed class Row
    {
        public MLImage? Image { get; set; }
        public string Label { get; set; } = "";
        public string ImagePath { get; set; } = "";
    }

    private IDataView Flowers()
    {
        TestImages.Save(TestImages.Noise(4, 3, 1), _folder.File("tulip/b.png"));
        TestImages.Save(TestImages.Noise(5, 3, 2), _folder.File("tulip/A.PNG"));
        TestImages.Save(TestImages.Noise(6, 3, 3), _folder.File("daisy/field/deep.png"));
        TestImages.Save(TestImages.Noise(7, 3, 4), _folder.File("rose/one.jpeg")); // a PNG by its content, which is what counts
        TestImages.Save(TestImages.Noise(9, 9, 5), _folder.File("rose/.hidden.png"));
        TestImages.Save(TestImages.Noise(9, 9, 6), _folder.File(".trash/gone.png"));
        File.WriteAllText(_folder.File("rose/notes.txt"), "no image");
        return _mlContext.Data.LoadImageFolder(_folder.Path);
    }

    private static string[] Column(IDataView view, string name) => [.. view.GetColumn<string>(name)];

    [Fact]
    public void RowsComeInTheOrderOfTheirPathsWithTheirClasses()
    {
        var view = Flowers();

        Assert.Equal(4, view.GetRowCount());
        Assert.Equal(["daisy", "rose", "tulip", "tulip"], Column(view, "Label"));
        string[] files = ["daisy/field/deep.png", "rose/one.jpeg", "tulip/A.PNG", "tulip/b.png"];
        Assert.Equal(files.Select(_folder.File), Column(view, "ImagePath"));
        Assert.Equal(["Image", "Label", "ImagePath"], view.Schema.Select(column => column.Name));
    }

    [Fact]
    public void ImagesAreDecodedAndTagged()
    {
        foreach (var row in _mlContext.Data.CreateEnumerable<Row>(Flowers(), reuseRowObject: false))
        {
            using var image = row.Image!;
            Assert.Equal(row.ImagePath, image.Tag);
            Assert.Equal(ImageDecoder.Decode(row.ImagePath).Pixels, ImageDecoder.FromMLImage(image).Pixels);
        }
    }

    [Fact]
    public void TheGetterDisposesTheImageItReplaces()
    {
        var view = Flowers();
        using var cursor = view.GetRowCursor([view.Schema["Image"]]);
        var getter = cursor.GetGetter<MLImage>(view.Schema["Image"]);
        MLImage image = null!;
        Assert.True(cursor.MoveNext());
        getter(ref image);
        var first = image;
        getter(ref image);

        Assert.NotSame(first, image);
        Assert.Throws<InvalidOperationException>(() => first.Width);
        Assert.Equal(6, image.Width);
        image.Dispose();
    }

    [Fact]
    public void ShufflingKeepsRowsTogether()
    {
        var view = Flowers();
        var files = Column(view, "ImagePath");
        string[] Order(int seed)
        {
            using var cursor = view.GetRowCursor(view.Schema, new Random(seed));
            var getLabel = cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["Label"]);
            var getPath = cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["ImagePath"]);
            var getId = cursor.GetIdGetter();
            var (order, label, path, id) = (new List<string>(), default(ReadOnlyMemory<char>), default(ReadOnlyMemory<char>), default(DataViewRowId));
            while (cursor.MoveNext())
            {
                getLabel(ref label);
                getPath(ref path);
                getId(ref id);
                Assert.StartsWith(_folder.File(label.ToString()), path.ToString());
                Assert.Equal(files[(int)id.Low], path.ToString());
                order.Add(path.ToString());
            }
            return [.. order];
        }

        Assert.Equal(Order(5), Order(5));
        Assert.Equal(files, Order(5).Order(StringComparer.Ordinal));
        Assert.Contains(Enumerable.Range(0, 20).Select(Order), order => !order.SequenceEqual(files));
    }

    [Fact]
    public void WorksWithTheTransformsOfMLNet()
    {
        for (var i = 0; i < 20; i++)
            TestImages.Save(TestImages.Noise(8, 8, i), _folder.File($"{(i % 2 == 0 ? "even" : "odd")}/{i}.png"));
        var view = _mlContext.Data.LoadImageFolder(_folder.Path);

        var split = _mlContext.Data.TrainTestSplit(view, testFraction: 0.3);
        Assert.Equal(20, Column(split.TrainSet, "Label").Length + Column(split.TestSet, "Label").Length);
        Assert.Empty(Column(split.TrainSet, "ImagePath").Intersect(Column(split.TestSet, "ImagePath")));

        var pipeline = _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(_mlContext.Transforms.ResizeImages("Small", 4, 4, "Image"))
            .Append(_mlContext.Transforms.ExtractPixels("Pixels", "Small"));
        var transformed = pipeline.Fit(split.TrainSet).Transform(split.TestSet);

        Assert.All(transformed.GetColumn<float[]>("Pixels"), pixels => Assert.Equal(4 * 4 * 3, pixels.Length));
        var path = ImageSourceColumn.PathOf(transformed.Schema, transformed.Schema["Image"]);
        Assert.Equal("ImagePath", path?.Name);
        Assert.Null(ImageSourceColumn.PathOf(transformed.Schema, transformed.Schema["Small"]));
    }

    [Fact]
    public void TheSourceOfAnImageColumnIsKnownWhileBothColumnsAreThere()
    {
        var view = Flowers();
        var other = _mlContext.Data.LoadImageFolder(_folder.Path);

        var renamed = _mlContext.Transforms.CopyColumns("Image", "Image").Append(_mlContext.Transforms.CopyColumns("File", "ImagePath"))
            .Append(_mlContext.Transforms.SelectColumns("Image", "File")).Fit(view).Transform(view);
        Assert.Equal("File", ImageSourceColumn.PathOf(renamed.Schema, renamed.Schema["Image"])?.Name);

        var dropped = _mlContext.Transforms.DropColumns("ImagePath").Fit(view).Transform(view);
        Assert.Null(ImageSourceColumn.PathOf(dropped.Schema, dropped.Schema["Image"]));

        var replaced = _mlContext.Transforms.CopyColumns("ImagePath", "Label").Fit(view).Transform(view);
        Assert.Null(ImageSourceColumn.PathOf(replaced.Schema, replaced.Schema["Image"]));

        var reloaded = _mlContext.Transforms.LoadImages("Image", imageFolder: "", "ImagePath").Fit(view).Transform(view);
        Assert.Null(ImageSourceColumn.PathOf(reloaded.Schema, reloaded.Schema["Image"]));

        Assert.Null(ImageSourceColumn.PathOf(other.Schema, view.Schema["Image"]));
    }

    [Fact]
    public void TheSchemaIsSavedWithAModel()
    {
        var view = Flowers();
        var model = _mlContext.Transforms.ResizeImages("Small", 4, 4, "Image").Append(_mlContext.Transforms.ExtractPixels("Pixels", "Small")).Fit(view);
        _mlContext.Model.Save(model, view.Schema, _folder.File("model.zip"));

        var loaded = new MLContext().Model.Load(_folder.File("model.zip"), out var schema);

        // ML.NET leaves columns out of the saved schema whose type it cannot store in a file, images among them.
        Assert.Equal(["Label", "ImagePath"], schema.Select(column => column.Name));
        Assert.Equal(4, loaded.Transform(view).GetColumn<float[]>("Pixels").Count());
    }

    [Fact]
    public void PropertiesHoldImagesWithAndWithoutASize()
    {
        var pipeline = _mlContext.Transforms.ResizeImages("Small", 4, 4, "Image").Append(_mlContext.Transforms.ExtractPixels("Pixels", "Small"));
        using var image = ImageDecoder.ToMLImage(TestImages.Noise(9, 7));

        using var engine = _mlContext.Model.CreatePredictionEngine<Row, Pixels>(pipeline.Fit(Flowers()));
        Assert.Equal(4 * 4 * 3, engine.Predict(new Row { Image = image }).Values.Length);

        var sized = _mlContext.Data.LoadFromEnumerable([new SizedRow { Image = image }]);
        Assert.Equal(new ImageDataViewType(7, 9), sized.Schema["Image"].Type);
        Assert.Single(pipeline.Fit(sized).Transform(sized).GetColumn<float[]>("Pixels"));
    }

    /// <summary>An application's own registration of MLImage must not keep the package from loading: what ML.NET throws then is what the package expects.</summary>
    [Fact]
    public void ASecondRegistrationOfMLImageIsAnArgumentException() =>
        Assert.ThrowsAny<ArgumentException>(() => DataViewTypeManager.Register(new ImageDataViewType(3, 3), typeof(MLImage)));

    private sealed class Pixels
    {
        [ColumnName("Pixels")]
        public float[] Values { get; set; } = [];
    }

    private sealed class SizedRow
    {
        [ImageType(7, 9)]
        public MLImage? Image { get; set; }
    }

    [Fact]
    public void ADamagedImageIsNamedWithItsRow()
    {
        var view = Flowers();
        File.WriteAllText(_folder.File("rose/one.jpeg"), "no image");

        using var cursor = view.GetRowCursor(view.Schema);
        var getter = cursor.GetGetter<MLImage>(view.Schema["Image"]);
        MLImage image = null!;
        Assert.True(cursor.MoveNext() && cursor.MoveNext());
        var error = Assert.Throws<ImageDecodeException>(() => getter(ref image));

        Assert.Equal(1, error.Row);
        Assert.Equal(_folder.File("rose/one.jpeg"), error.FilePath);
        Assert.Contains("Row 1", error.Message);
        Assert.Contains("one.jpeg", error.Message);
        Assert.True(cursor.MoveNext());
        getter(ref image);
        image.Dispose();
    }

    [Fact]
    public void AFolderOfImagesAloneHasNoLabels()
    {
        TestImages.Save(TestImages.Noise(4, 3), _folder.File("a.png"));
        Assert.Equal([""], Column(_mlContext.Data.LoadImageFolder(_folder.Path), "Label"));
    }

    [Fact]
    public void LinksGiveEachImageOnce()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need rights on Windows.");
        var expected = Column(Flowers(), "ImagePath");
        Directory.CreateSymbolicLink(_folder.File("rose/up"), "..");
        Directory.CreateSymbolicLink(_folder.File("daisy/tulips"), _folder.File("tulip"));
        Directory.CreateSymbolicLink(_folder.File("all"), _folder.Path);
        Directory.CreateSymbolicLink(_folder.File("above"), Path.GetDirectoryName(_folder.Path)!);
        Directory.CreateSymbolicLink(_folder.File("self"), "self");
        using var elsewhere = TestFolders.Temporary();
        TestImages.Save(TestImages.Noise(4, 3), elsewhere.File("far.png"));
        Directory.CreateSymbolicLink(elsewhere.File("back"), _folder.Path);
        Directory.CreateSymbolicLink(_folder.File("lily"), elsewhere.Path);

        var said = Said(() => Assert.Equal([.. expected.Append(_folder.File("lily/far.png")).Order(StringComparer.Ordinal)], Column(_mlContext.Data.LoadImageFolder(_folder.Path), "ImagePath")));

        foreach (var link in (string[])["rose/up", "daisy/tulips", "all", "above", "lily/back"])
            Assert.Contains(said, message => message.Contains($"the link {link} leads to"));
        // The same folder by the name of a link to it.
        Directory.CreateSymbolicLink(elsewhere.File("name"), _folder.Path);
        Assert.Equal(5, _mlContext.Data.LoadImageFolder(elsewhere.File("name")).GetRowCount());
    }

    [Fact]
    public void WhatIsPassedOverIsTold()
    {
        Flowers();
        File.WriteAllText(_folder.File("rose/scan.TIFF"), "");
        File.WriteAllText(_folder.File("tulip/phone.heic"), "");
        Directory.CreateDirectory(_folder.File("lily"));
        TestImages.Save(TestImages.Noise(4, 3), _folder.File(".hidden/x.png"));

        var said = Said(() => Assert.Equal(4, _mlContext.Data.LoadImageFolder(_folder.Path).GetRowCount()));

        Assert.Equal(2, said.Count);
        Assert.Contains(said, message => message.Contains("2 files") && message.Contains("rose/scan.TIFF") && message.Contains("tulip/phone.heic"));
        Assert.Contains(said, message => message.Contains("lily") && message.Contains("no classes"));
    }

    private List<string> Said(Action act)
    {
        List<string> said = [];
        void Hear(object? sender, LoggingEventArgs log)
        {
            if (log.Kind == Runtime.ChannelMessageKind.Warning)
                said.Add(log.Message);
        }
        _mlContext.Log += Hear;
        act();
        _mlContext.Log -= Hear;
        return said;
    }

    [Fact]
    public void WrongFoldersAreNamed()
    {
        var missing = _folder.File("missing");
        Assert.Contains(missing, Assert.Throws<DirectoryNotFoundException>(() => _mlContext.Data.LoadImageFolder(missing)).Message);
        Assert.Contains(_folder.Path, Assert.Throws<InvalidOperationException>(() => _mlContext.Data.LoadImageFolder(_folder.Path)).Message);

        Flowers();
        TestImages.Save(TestImages.Noise(4, 3), _folder.File("cover.png"));
        Assert.Contains("cover.png", Assert.Throws<InvalidOperationException>(() => _mlContext.Data.LoadImageFolder(_folder.Path)).Message);
    }

    [Fact]
    public void WrongUseOfACursorIsNamed()
    {
        var view = Flowers();
        using var cursor = view.GetRowCursor([view.Schema["Label"]]);
        Assert.Contains("ImagePath", Assert.Throws<ArgumentException>(() => cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["ImagePath"])).Message);
        Assert.Contains("Label", Assert.Throws<ArgumentException>(() => cursor.GetGetter<int>(view.Schema["Label"])).Message);

        var label = cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["Label"]);
        ReadOnlyMemory<char> value = default;
        Assert.Throws<InvalidOperationException>(() => label(ref value));
        while (cursor.MoveNext())
            label(ref value);
        Assert.Equal("tulip", value.ToString());
        Assert.False(cursor.MoveNext());
        Assert.Throws<InvalidOperationException>(() => label(ref value));
    }
}
