using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Imaging;

namespace Microsoft.ML.VisionModels.Tests.Sam;

public sealed class SamSessionTests : IDisposable
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly SamSession _session;

    public SamSessionTests()
    {
        SamContractSetup.Write(_folder.Path, 32);
        _session = new(_folder.Path, device: "cpu", cacheMegabytes: 1);
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void AnImageIsLookedAtOnceAndAskedAboutFromManyThreads()
    {
        var path = Image("a.png", 40, 30);
        var image = _session.SetImage(path);
        Assert.Same(image, _session.SetImage(path));
        Assert.Equal(new ImageSize(30, 40), image.Size);

        var expected = _session.Predict(image, SamPrompt.AtPoint(20, 10), SamMaskChoice.Three);
        Assert.Equal(3, expected.Count);
        Assert.All(expected, mask => Assert.Equal((30, 40), (mask.Mask.Height, mask.Mask.Width)));
        Parallel.For(0, 16, _ => Assert.Equal(expected.Select(mask => mask.Mask), _session.Predict(image, SamPrompt.AtPoint(20, 10), SamMaskChoice.Three).Select(mask => mask.Mask)));

        TestImages.Save(new RgbImage(50, 30), path);      // another image in the same file
        Assert.NotSame(image, _session.SetImage(path));
    }

    [Fact]
    public void PromptsOfAllKindsAreAnsweredTogetherAsOneByOne()
    {
        var image = _session.SetImage(Image("b.png", 33, 57));
        var first = _session.Predict(image, SamPrompt.AtPoint(3, 4));
        SamPrompt[] prompts =
        [
            SamPrompt.AtPoint(3, 4), SamPrompt.InBox(1, 2, 30, 40), SamPrompt.AtPoint(30, 50), new() { Points = [new(1, 1), new(2, 2, IsForeground: false)], Box = new(0, 0, 9, 9) },
            new() { Logits = first.Logits }, new() { Points = [new(3, 4)], Logits = first.Logits }, new() { Mask = first.Mask },
        ];
        var together = _session.Predict(image, prompts, SamMaskChoice.Best);
        foreach (var (prompt, masks) in prompts.Zip(together))
        {
            var alone = _session.Predict(image, prompt);
            Assert.Equal(alone.Score, masks[0].Score, 1e-4f);
            Assert.True(alone.Mask.Area == masks[0].Mask.Area || alone.Mask.IoU(masks[0].Mask) > 0.98);
        }
    }

    public static TheoryData<string, SamPrompt> Wrong => new()
    {
        { "empty", new() },
        { "outside the image", SamPrompt.AtPoint(41, 3) },
        { "outside the image", SamPrompt.AtPoint(3, -1) },
        { "outside the image", SamPrompt.AtPoint(float.NaN, 3) },
        { "has no area", SamPrompt.InBox(5, 5, 4, 9) },
        { "outside the image", SamPrompt.InBox(50, 5, 60, 9) },
        { "logits", new() { Logits = new float[7] } },
        { "mask is empty", new() { Mask = RunLengthMask.FromPixels(30, 40, new byte[30 * 40]) } },
        { "mask is 2 x 2", new() { Mask = RunLengthMask.FromPixels(2, 2, new byte[4]) } },
    };

    [Theory, MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void APromptThatMeansNothingIsRefused(string says, SamPrompt prompt)
    {
        var image = _session.SetImage(Image("c.png", 40, 30));
        Assert.Contains(says, Assert.Throws<ArgumentException>(() => _session.Predict(image, prompt)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 300)]
    [InlineData(2000, 3)]
    public void ImagesOfAnyShapeAreAnswered(int width, int height)
    {
        using var image = ImageDecoder.ToMLImage(new RgbImage(width, height));
        var mask = _session.Predict(_session.SetImage(image), SamPrompt.AtPoint(0, 0)).Mask;
        Assert.Equal((height, width), (mask.Height, mask.Width));
    }

    [Fact]
    public void WhatIsNoSamIsNamed()
    {
        File.WriteAllText(_folder.File("config.json"), """{"model_type": "clip"}""");
        var message = Assert.Throws<CheckpointException>(() => new SamSession(_folder.Path, device: "cpu")).Message;
        Assert.Contains("'clip'", message, StringComparison.Ordinal);
        Assert.Contains(_folder.Path, message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => new SamSession(_folder.File("nowhere.pt"), device: "cpu"));
    }

    [Fact]
    public void ADisposedSessionSaysSo()
    {
        var path = Image("d.png", 40, 30);
        var image = _session.SetImage(path);
        using var other = ImageDecoder.ToMLImage(new RgbImage(8, 8));
        _session.Dispose();
        // Also where the image is remembered.
        Action[] acts = [() => _session.SetImage(path), () => _session.SetImage(other), () => _session.Predict(image, SamPrompt.AtPoint(1, 1))];
        Assert.All(acts, act => Assert.EndsWith(nameof(SamSession), Assert.Throws<ObjectDisposedException>(act).ObjectName, StringComparison.Ordinal));
    }

    private string Image(string name, int width, int height)
    {
        var image = new RgbImage(width, height);
        new Random(1).NextBytes(image.Pixels);
        TestImages.Save(image, _folder.File(name));
        return _folder.File(name);
    }
}
