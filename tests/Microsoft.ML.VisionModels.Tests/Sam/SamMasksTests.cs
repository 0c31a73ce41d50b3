using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.VisionModels.Tests.Sam;

/// <summary>Prompts from columns and from options, with a tiny network. What every estimator does is under contract.</summary>
public sealed class SamMasksTests : IDisposable
{
    private const int Side = 32;

    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly MLContext _context = new(seed: 1);

    public SamMasksTests()
    {
        SamContractSetup.Write(_folder.Path, Side);
        Imaging.TestImages.Save(Imaging.TestImages.Noise(40, 30), Image);
    }

    private string Image => _folder.File("image.png");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void PromptsOfColumnsAreThoseOfASession()
    {
        using var session = new SamSession(_folder.Path, device: "cpu");
        var image = session.SetImage(Image);
        var rows = Score(new(), new() { Points = [3, 4, 30, 20], Labels = [1, 0], Boxes = [1, 2, 30, 25] }, new() { Points = [3, 4, 30, 20] }, new() { Boxes = [1, 2, 30, 25, 0, 0, 9, 9] });
        Assert.Equal(
            new SamPrompt[][]
            {
                [new() { Points = [new(3, 4), new(30, 20, IsForeground: false)], Box = new(1, 2, 30, 25) }],
                [new() { Points = [new(3, 4), new(30, 20)] }],
                [SamPrompt.InBox(1, 2, 30, 25), SamPrompt.InBox(0, 0, 9, 9)],
            }.Select(prompts => prompts.Select(prompt => session.Predict(image, prompt).Mask.ToCocoJson())),
            rows);

        // The same points as fractions, one a prompt.
        var fractions = Score(new() { PointsPerPrompt = 1, RelativeCoordinates = true }, new Row { Points = [0.25f, 0.5f, 0.75f, 0.25f] });
        Assert.Equal(new[] { SamPrompt.AtPoint(10, 15), SamPrompt.AtPoint(30, 7.5f) }.Select(prompt => session.Predict(image, prompt).Mask.ToCocoJson()), Assert.Single(fractions));
    }

    public static TheoryData<string, Row> Wrong => new()
    {
        { "it has no prompt", new() },
        { "lies outside the image", new() { Points = [41, 3] } },
        { "lies outside the image", new() { Points = [3, 4, 3, -1] } },
        { "lies outside the image", new() { Points = [float.NaN, 3] } },
        { "has no area", new() { Boxes = [5, 5, 4, 9] } },
        { "has no area", new() { Boxes = [1, 2, 30, 25, 5, 9, 9, 5] } },
        { "lies outside the image", new() { Boxes = [50, 5, 60, 9] } },
        { "lies outside the image", new() { Boxes = [5, 5, float.PositiveInfinity, 9] } },
        { "there are 2 labels for 1 points", new() { Points = [3, 4], Labels = [1, 0] } },
        { "there are 1 labels for 0 points", new() { Boxes = [1, 2, 30, 25], Labels = [1] } },
        { "a point's label is 1 or 0, not 2", new() { Points = [3, 4], Labels = [2] } },
        { "there are 3 numbers", new() { Points = [3, 4, 5] } },
        { "there are 2 numbers", new() { Boxes = [3, 4] } },
        { "1 groups of points do not go with 2 boxes", new() { Points = [3, 4], Boxes = [1, 2, 30, 25, 0, 0, 9, 9] } },
    };

    [Theory, MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void APromptThatMeansNothingNamesItsRow(string says, Row row)
    {
        var error = Assert.Throws<ArgumentException>(() => Score(new(), new() { Points = [3, 4] }, row));
        Assert.StartsWith("Row 1: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Masks are saved as 0 and 1, as 0 and 255, or in a color.</summary>
    [Fact]
    public void ARoughMaskIsWhatIsBright()
    {
        (byte, byte, byte)[] colors = [(255, 255, 255), (1, 1, 1), (60, 60, 60), (0, 0, 200)];
        var answers = Rough([.. colors]);
        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        var error = Assert.Throws<ArgumentException>(() => Rough((255, 255, 255), (0, 0, 0)));
        Assert.StartsWith("Row 1: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("mask is empty", error.Message, StringComparison.Ordinal);

        List<string[]> Rough(params (byte Red, byte Green, byte Blue)[] inside)
        {
            var rows = inside.Select(color => new RoughRow { Image = Image, Rough = Square(color.Red, color.Green, color.Blue) }).ToList();
            var data = _context.Data.LoadFromEnumerable(rows);
            using var model = _context.Transforms.SamMasks(new SamMasksOptions { Checkpoint = _folder.Path, Device = "cpu", RoughMaskColumnName = "Rough", MaskRunLengthsColumnName = "Runs" }).Fit(data);
            return [.. Contract.ViewValues.Read(model.Transform(data), "Runs").Select(row => ((object[])row[0]).Cast<string>().ToArray())];
        }
    }

    private static MLImage Square(byte red, byte green, byte blue)
    {
        var pixels = new byte[4 * 40 * 30];
        for (var i = 0; i < 40 * 30; i++)
        {
            if (i % 40 is >= 10 and < 30 && i / 40 is >= 5 and < 25)
                (pixels[4 * i], pixels[4 * i + 1], pixels[4 * i + 2]) = (red, green, blue);
            pixels[4 * i + 3] = 255;
        }
        return MLImage.CreateFromPixels(40, 30, MLPixelFormat.Rgba32, pixels);
    }

    private sealed class RoughRow
    {
        public string Image { get; set; } = "";

        [ImageType(30, 40)]
        public MLImage Rough { get; set; } = null!;
    }

    [Fact]
    public void OptionsWithoutAPromptAreRefused() =>
        Assert.Contains("There is no prompt", Assert.Throws<ArgumentException>(() => _context.Transforms.SamMasks(new SamMasksOptions { Checkpoint = _folder.Path })).Message, StringComparison.Ordinal);

    /// <summary>The masks of each row as run lengths.</summary>
    private List<string[]> Score(SamMasksOptions options, params Row[] rows)
    {
        foreach (var row in rows)
            row.Image = Image;
        options.Checkpoint = _folder.Path;
        options.Device = "cpu";
        (options.PointsColumnName, options.PointLabelsColumnName, options.BoxesColumnName, options.MaskRunLengthsColumnName) = ("Points", "Labels", "Boxes", "Runs");
        var data = _context.Data.LoadFromEnumerable(rows);
        using var model = _context.Transforms.SamMasks(options).Fit(data);
        return [.. Contract.ViewValues.Read(model.Transform(data), "Runs").Select(row => ((object[])row[0]).Cast<string>().ToArray())];
    }

    public sealed class Row
    {
        public string Image { get; set; } = "";
        public float[] Points { get; set; } = [];
        public float[] Labels { get; set; } = [];
        public float[] Boxes { get; set; } = [];
    }
}
