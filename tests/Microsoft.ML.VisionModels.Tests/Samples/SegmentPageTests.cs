using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Tests.Samples;

/// <summary>samples/SegmentPage as its user has it: clicks in a browser, and what the program answers to others.</summary>
[Trait("Family", "Sam")]
public class SegmentPageTests(SegmentPageSite site) : IClassFixture<SegmentPageSite>
{
    // Where things are in plain.png, as parts of its width and height.
    private const double ThingX = 0.75, ThingY = 0.9, GroundX = 0.92, GroundY = 0.08;
    private const string Image = "document.getElementById('image')";
    private const string Mask = "document.getElementById('mask')";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private HttpClient Client => site.Program.Client;

    [Fact]
    public async Task AClickShowsTheMaskOfWhatWasClickedOn()
    {
        await using var browser = await Browser.Start();
        await Open(browser, "plain.png");

        await browser.Click(Image, ThingX, ThingY);
        AssertAlike(Expected((ThingX, ThingY, true)), await Shown(browser, points: 1));

        // A second click says what does not belong to it: right, or with Shift.
        await browser.Click(Image, GroundX, GroundY, "right");
        var two = await Shown(browser, points: 2);
        AssertAlike(Expected((ThingX, ThingY, true), (GroundX, GroundY, false)), two);
        Assert.Equal(1, (int)(await browser.Evaluate("document.querySelectorAll('.point.not').length"))!);

        await browser.Click("document.getElementById('undo')");
        var again = await Shown(browser, points: 1);
        AssertAlike(Expected((ThingX, ThingY, true)), again);
        Assert.NotEqual(two, again);

        await browser.Click(Image, GroundX, GroundY, shift: true);
        Assert.Equal(two, await Shown(browser, points: 2));

        await browser.Click("document.getElementById('clear')");
        await browser.WaitFor($"document.querySelectorAll('.point').length === 0 && {Mask}.width === 1 && document.getElementById('json').disabled");
    }

    [Fact]
    public async Task NamesAreShownAsTheyAre()
    {
        await using var browser = await Browser.Start();
        await Open(browser, SiteProgram.OddImage);
        Assert.Contains(SiteProgram.OddImage, await browser.All("#images button", "title"));
        Assert.Equal(3, (int)(await browser.Evaluate("document.querySelectorAll('#images img').length"))!);
        Assert.Equal(SiteProgram.OddImage + " - Segment Anything", (string)(await browser.Evaluate("document.title"))!);
        await browser.Click(Image, ThingX, ThingY);
        AssertAlike(Expected((ThingX, ThingY, true)), await Shown(browser, points: 1));
    }

    [Fact]
    public async Task ClicksMeanTheSamePlaceOnAPhone()
    {
        await using var browser = await Browser.Start();
        await browser.Resize(360, 740);
        await Open(browser, "plain.png");
        await browser.WaitFor("innerWidth === 360 && document.documentElement.scrollWidth === 360");
        await browser.Click(Image, ThingX, ThingY);
        AssertAlike(Expected((ThingX, ThingY, true)), await Shown(browser, points: 1));

        // There is no right button: a switch says that the next click is on what does not belong.
        await browser.Click("document.getElementById('not')");
        await browser.Click(Image, GroundX, GroundY);
        AssertAlike(Expected((ThingX, ThingY, true), (GroundX, GroundY, false)), await Shown(browser, points: 2));
    }

    [Fact]
    public async Task SaysWhatIsWrong()
    {
        await using var browser = await Browser.Start();
        await Open(browser, "plain.png");
        await browser.Click(Image, GroundX, GroundY, "right");
        await browser.WaitFor("document.querySelector('#status.error')?.textContent.startsWith('Click first on something')");

        await browser.Click("[...document.querySelectorAll('#images button')].at(-1)");
        await browser.WaitFor("document.querySelector('#status.error')?.textContent.includes('zz broken.png')");
        await SiteProgram.AssertRunsNothingElse(browser);
    }

    [Theory]
    [InlineData("../secret.png")]
    [InlineData("/etc/passwd")]
    [InlineData("./plain.png")]
    [InlineData("PLAIN.PNG")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("out.png")]
    [InlineData("elsewhere/secret.png")]
    [InlineData("loop/plain.png")]
    public async Task ServesNothingButTheFoldersImages(string? name)
    {
        using var image = await Client.GetAsync(new Uri($"/image?name={Uri.EscapeDataString(name ?? "")}", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, image.StatusCode);
        foreach (var address in new[] { "/look", "/mask" })
        {
            using var answer = await Client.PostAsJsonAsync(address, new { name, points = new[] { new { x = 1, y = 1 } } }, Cancellation);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("""{ "name": "plain.png" }""", "1 to 100 points")]
    [InlineData("""{ "name": "plain.png", "points": [] }""", "1 to 100 points")]
    [InlineData("""{ "name": "plain.png", "points": [null] }""", "1 to 100 points")]
    [InlineData("""{ "name": "plain.png", "points": [{ "x": 1, "y": 1, "isForeground": false }] }""", "Click first on something")]
    [InlineData("""{ "name": "plain.png", "points": [{ "x": 151, "y": 1 }] }""", "outside the image")]
    [InlineData("""{ "name": "zz broken.png", "points": [{ "x": 1, "y": 1 }] }""", "cannot be read")]
    public async Task SaysWhatCannotBeAsked(string asked, string expected)
    {
        using var content = new StringContent(asked, System.Text.Encoding.UTF8, "application/json");
        using var answer = await Client.PostAsync(new Uri("/mask", UriKind.Relative), content, Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(expected, await answer.Content.ReadFromJsonAsync<string>(Cancellation));
    }

    [Fact]
    public async Task AnErrorDoesNotTellWhereThingsAreOnTheMachine()
    {
        using var answer = await Client.PostAsJsonAsync("/look", new { name = "zz broken.png" }, Cancellation);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.Contains("zz broken.png", text);
        Assert.DoesNotContain(Path.GetDirectoryName(site.Folder)!, text);
    }

    [Fact]
    public async Task ALongQuestionIsNotRead()
    {
        var question = $$"""{ "name": "plain.png", "points": [{{string.Join(',', Enumerable.Repeat("""{ "x": 1, "y": 1 }""", 10_000))}}] }""";
        foreach (var chunked in new[] { false, true })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/mask")
            {
                Content = new StringContent(question, System.Text.Encoding.UTF8, "application/json"), Headers = { TransferEncodingChunked = chunked },
            };
            using var answer = await Client.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        }
    }

    [Fact]
    public async Task AnImageThatBecameALinkOutOfTheFolderIsNotServed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links are a privilege there.");
        var address = new Uri("/image?name=replaced.png", UriKind.Relative);
        Assert.Equal(HttpStatusCode.OK, (await Client.GetAsync(address, Cancellation)).StatusCode);
        File.Delete(Path.Combine(site.Folder, "replaced.png"));
        File.CreateSymbolicLink(Path.Combine(site.Folder, "replaced.png"), Path.Combine(site.Folder, "../secret.png"));
        Assert.Equal(HttpStatusCode.NotFound, (await Client.GetAsync(address, Cancellation)).StatusCode);
        using var look = await Client.PostAsJsonAsync("/look", new { name = "replaced.png" }, Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, look.StatusCode);
    }

    [Fact]
    public async Task ALinkWithinTheFolderIsAnImageOfIt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links are a privilege there.");
        using var answer = await Client.GetAsync(new Uri("/image?name=inner.png", UriKind.Relative), Cancellation);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(site.Folder, "plain.png"), Cancellation), await answer.Content.ReadAsByteArrayAsync(Cancellation));
    }

    [Fact]
    public Task BrowsersAreToldWhatThePageMayDo() => site.Program.AssertIsGuarded();

    [Fact]
    public async Task AnswersInCocosForm()
    {
        using var answer = await Client.PostAsJsonAsync("/mask", new { name = "plain.png", points = new[] { new { x = 150 * ThingX, y = 110 * ThingY } } }, Cancellation);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation));
        var expected = Expected((ThingX, ThingY, true));
        Assert.Equal(expected, RunLengthMask.FromCocoJson(json.RootElement.GetProperty("segmentation")));
        Assert.Equal(expected.Area, json.RootElement.GetProperty("area").GetInt32());
        Assert.Equal("plain.png", json.RootElement.GetProperty("file_name").GetString());
    }

    /// <summary>As after DNS rebinding, where a foreign page's own name leads to this machine.</summary>
    [Fact]
    public async Task AnswersUnderThisMachinesNamesOnly()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/images") { Headers = { Host = "images.example" } };
        Assert.Equal(HttpStatusCode.BadRequest, (await Client.SendAsync(request, Cancellation)).StatusCode);
    }

    private async Task Open(Browser browser, string name)
    {
        await browser.Open(new Uri(Client.BaseAddress!, $"/?name={Uri.EscapeDataString(name)}"));
        await browser.WaitFor($"{Image}?.naturalWidth === 150 && document.getElementById('status').textContent.startsWith('Click on something')");
    }

    /// <summary>The mask on the page, when it is that of so many points.</summary>
    private static async Task<RunLengthMask> Shown(Browser browser, int points)
    {
        await browser.WaitFor($"document.querySelectorAll('.point').length === {points} && !document.getElementById('json').disabled && {Mask}.width === 150");
        var alpha = await browser.Evaluate($"Array.from({Mask}.getContext('2d').getImageData(0, 0, 150, 110).data).filter((_, i) => i % 4 === 3)");
        return RunLengthMask.FromPixels(110, 150, [.. alpha.Deserialize<int[]>()!.Select(value => value > 0)]);
    }

    /// <summary>What the network says of the same points.</summary>
    private RunLengthMask Expected(params (double X, double Y, bool IsForeground)[] points)
    {
        using var session = new SamSession(site.Checkpoint, "cpu");
        var prompt = new SamPrompt { Points = [.. points.Select(point => new SamPoint((float)(150 * point.X), (float)(110 * point.Y), point.IsForeground))] };
        return session.Predict(session.SetImage(Path.Combine(site.Folder, "plain.png")), prompt, points.Length > 1 ? SamMaskChoice.Single : SamMaskChoice.Best)[0].Mask;
    }

    /// <summary>A click lies on a whole pixel of the screen, and so may be a little beside the place that was meant.</summary>
    private static void AssertAlike(RunLengthMask expected, RunLengthMask actual) =>
        Assert.True(expected.Area > 50 && expected.IoU(actual) > 0.9, $"{actual} instead of {expected}");
}

/// <summary>samples/SegmentPage over two images, one of which has a name that would be HTML, and a file that is none, with the tiny trained SAM of a reference case.</summary>
public sealed class SegmentPageSite : IAsyncLifetime
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    internal SiteProgram Program { get; private set; } = null!;

    internal string Folder => _folder.File("images");

    internal string Checkpoint { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        using var golden = GoldenCase.OpenOwn("sam-amg");
        Directory.CreateDirectory(Folder);
        File.Copy(golden.File("plain.png"), Path.Combine(Folder, "plain.png"));
        File.Copy(golden.File("plain.png"), Path.Combine(Folder, SiteProgram.OddImage));
        File.WriteAllText(Path.Combine(Folder, "zz broken.png"), "no image");
        File.Copy(golden.File("plain.png"), Path.Combine(Folder, "replaced.png"));
        File.Copy(golden.File("plain.png"), _folder.File("secret.png"));
        if (!OperatingSystem.IsWindows())       // where links are a privilege
        {
            File.CreateSymbolicLink(Path.Combine(Folder, "inner.png"), "plain.png");
            File.CreateSymbolicLink(Path.Combine(Folder, "out.png"), _folder.File("secret.png"));
            Directory.CreateSymbolicLink(Path.Combine(Folder, "elsewhere"), _folder.Path);
            Directory.CreateSymbolicLink(Path.Combine(Folder, "loop"), Folder);
        }
        Checkpoint = golden.Path;
        Program = await SiteProgram.Start("SegmentPageProgram", "--checkpoint", Checkpoint, "--data", Folder);
    }

    public async ValueTask DisposeAsync()
    {
        await Program.DisposeAsync();
        _folder.Dispose();
    }
}
