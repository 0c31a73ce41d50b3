using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Contract;
using Microsoft.ML.VisionModels.Tests.Imaging;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Tests.Sam;

/// <summary>The search for all segments with a tiny network, whose masks are all kept.</summary>
public sealed class SamEverythingTests : IDisposable
{
    private const int Side = 32;

    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly MLContext _context = new(seed: 1);
    private readonly SamEverythingTransformer _model;

    public SamEverythingTests()
    {
        SamContractSetup.Write(_folder.Path, Side);
        _model = _context.Transforms.SamEverything(new SamEverythingOptions
        {
            Checkpoint = _folder.Path, Device = "cpu", PointsPerSide = 3, PointsPerBatch = 1, CropLayers = 1, CropPointsDownscale = 2, PredictedIouThreshold = 0, StabilityThreshold = 0,
            LabelImageColumnName = "Numbers", OverlayColumnName = "Overlay",
        }).Fit(Images());
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void TellsOfEachBatchOfPoints()
    {
        List<SamEverythingProgress> told = [];
        var segments = _model.FindSegments(Save("image.png", TestImages.Noise(40, 30)), new Reports<SamEverythingProgress>(told.Add), TestContext.Current.CancellationToken);
        Assert.NotEmpty(segments);
        // 9 points of the whole image, and one of each quarter.
        Assert.Equal(Enumerable.Range(1, 13), told.Select(progress => progress.Done));
        Assert.All(told, progress => Assert.Equal(13, progress.Points));
    }

    [Fact]
    public void ADisposedModelFindsNothing()
    {
        var path = Save("image.png", TestImages.Noise(40, 30));
        _model.Dispose();
        Assert.Equal(nameof(SamEverythingTransformer), Assert.Throws<ObjectDisposedException>(() => Find(path)).ObjectName);
        Assert.Equal(nameof(SamEverythingTransformer), Assert.Throws<ObjectDisposedException>(() => _model.LabelFolder(_folder.Path, _folder.File("labeled"))).ObjectName);
    }

    [Fact]
    public void StopsBetweenBatchesOfPoints()
    {
        using var stop = new CancellationTokenSource();
        List<SamEverythingProgress> told = [];
        using var image = ImageDecoder.ToMLImage(TestImages.Noise(40, 30));
        Assert.Throws<OperationCanceledException>(() => _model.FindSegments(image, new Reports<SamEverythingProgress>(progress =>
        {
            told.Add(progress);
            stop.Cancel();
        }), stop.Token));
        Assert.Equal(1, Assert.Single(told).Done);
    }

    [Fact]
    public void ImagesShowTheSegments()
    {
        var path = Save("image.png", TestImages.Noise(40, 30));
        var masks = Find(path).Select(segment => segment.Mask).ToArray();
        var row = ViewValues.Read(_model.Transform(Images(path)), "Numbers", "Overlay")[0];
        var (numbers, overlay) = (ImageDecoder.FromMLImage((Data.MLImage)row[0]).Pixels, ImageDecoder.FromMLImage((Data.MLImage)row[1]).Pixels);
        Assert.Equal(LabelImage.Draw(30, 40, masks), numbers.Chunk(3).Select(pixel => pixel[0] + 256 * pixel[1]));
        Assert.Contains(masks.Length, numbers.Chunk(3).Select(pixel => (int)pixel[0]));
        Assert.NotEqual(ImageDecoder.Decode(path).Pixels, overlay);
    }

    /// <summary>In each is what a plain image of three channels and eight bits has.</summary>
    [Theory]
    [InlineData(SKColorType.Gray8, SKAlphaType.Opaque, 8)]
    [InlineData(SKColorType.Rgba8888, SKAlphaType.Unpremul, 8)]
    [InlineData(SKColorType.RgbaF16, SKAlphaType.Opaque, 16)]
    [InlineData(SKColorType.RgbaF16, SKAlphaType.Unpremul, 16)]
    public void ImagesOfOtherChannelsAndBitsAreSeenAsPlainOnes(SKColorType color, SKAlphaType alpha, int bits)
    {
        var plain = TestImages.Noise(40, 30);
        if (color == SKColorType.Gray8)
        {
            for (var i = 0; i < plain.Pixels.Length; i++)
                plain.Pixels[i] = plain.Pixels[i / 3 * 3];
        }
        var (expected, odd) = (Save("plain.png", plain), _folder.File("odd.png"));
        File.WriteAllBytes(odd, Encode(plain, color, alpha));
        Assert.Equal(bits, File.ReadAllBytes(odd)[24]);     // of the header: bits a channel

        using var session = new SamSession(_folder.Path, device: "cpu");
        Assert.Equal(session.SetImage(expected).Embedding, session.SetImage(odd).Embedding);
        Assert.Equal(Find(expected).Select(segment => segment.Mask), Find(odd).Select(segment => segment.Mask));
        using var masks = _context.Transforms.SamMasks(new SamMasksOptions { Checkpoint = _folder.Path, Device = "cpu", Boxes = [1, 2, 30, 25] }).Fit(Images());
        foreach (var model in new ITransformer[] { _model, masks })
        {
            var rows = ContractData.Scores(model, Images(expected, odd));
            Assert.Equal(rows[0].Select(ViewValues.Exactly), rows[1].Select(ViewValues.Exactly));
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 300)]
    [InlineData(2000, 3)]
    public void ImagesOfAnyShapeAreSearched(int width, int height)
    {
        var path = Save("image.png", TestImages.Noise(width, height));
        Assert.All(Find(path), segment => Assert.Equal((height, width), (segment.Mask.Height, segment.Mask.Width)));
        using var masks = _context.Transforms.SamMasks(new SamMasksOptions { Checkpoint = _folder.Path, Device = "cpu", Points = [0.5f, 0.5f], RelativeCoordinates = true }).Fit(Images());
        var mask = (Data.MLImage)ContractData.Scores(masks, Images(path))[0][0];
        Assert.Equal((height, width), (mask.Height, mask.Width));
    }

    /// <summary>What has three or four bytes for each pixel of a large image takes hundreds of megabytes.</summary>
    [Fact]
    public void LargeImagesHaveTheirPixelsInMemoryOnce()
    {
        var (width, height, little) = (3000, 2000, 2_000_000);
        using (var bitmap = new SKBitmap(width, height))
        using (var data = bitmap.Encode(SKEncodedImageFormat.Png, 100))
            File.WriteAllBytes(_folder.File("large.png"), data.ToArray());
        using var session = new SamSession(_folder.Path, device: "cpu");

        var start = Allocated;
        var image = session.SetImage(_folder.File("large.png"));
        Assert.InRange(Allocated - start, 0, 3 * width * height + little);
        start = Allocated;
        var mask = session.Predict(image, SamPrompt.AtPoint(1500, 1000)).Mask;
        using var drawn = mask.ToMLImage();
        Assert.Equal((height, width), (drawn.Height, drawn.Width));
        Assert.InRange(Allocated - start, 0, little);
    }

    /// <summary>Managed memory that this thread has asked for.</summary>
    private static long Allocated => GC.GetAllocatedBytesForCurrentThread();

    private IReadOnlyList<SamSegment> Find(string path) => _model.FindSegments(path, cancellationToken: TestContext.Current.CancellationToken);

    private static byte[] Encode(RgbImage image, SKColorType color, SKAlphaType alpha)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, color, alpha));
        for (var y = 0; y < image.Height; y++)
        {
            for (var x = 0; x < image.Width; x++)
            {
                var pixel = image.Row(y).Slice(3 * x, 3);
                bitmap.SetPixel(x, y, new SKColor(pixel[0], pixel[1], pixel[2], alpha == SKAlphaType.Opaque ? (byte)255 : (byte)(1 + x)));
            }
        }
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private string Save(string name, RgbImage image)
    {
        TestImages.Save(image, _folder.File(name));
        return _folder.File(name);
    }

    private IDataView Images(params string[] paths) => _context.Data.LoadFromEnumerable(paths.Select(path => new Row { Image = path }).ToList());

    private sealed class Row
    {
        public string Image { get; set; } = "";
    }
}
