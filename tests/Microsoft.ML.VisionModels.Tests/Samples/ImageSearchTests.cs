using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests.Samples;

/// <summary>samples/ImageSearch as its user has it: the program, asked by HTTP and in a browser.</summary>
public class ImageSearchTests(ImageSearchSite site) : IClassFixture<ImageSearchSite>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private HttpClient Client => site.Program.Client;

    [Theory]
    [InlineData("red")]
    [InlineData("green")]
    [InlineData("blue")]
    public async Task WordsFindTheirColor(string color)
    {
        var hits = await site.Program.Search($"a {color} square", top: 8);
        Assert.Equal(8, hits.Length);
        Assert.All(hits, hit => Assert.True(hit.Id == site.Odd || hit.Id == site.Replaced ? color == "red" : ColorOf(hit.Id) == color, hit.Id));
        Assert.Equal(hits.OrderByDescending(hit => hit.Score), hits);
    }

    [Fact]
    public async Task AnImageFindsThoseLikeItAndNotItself()
    {
        var hits = await site.Program.Like(site.Images[1], top: 7);
        Assert.Equal(7, hits.Length);
        Assert.All(hits, hit => Assert.Equal("green", ColorOf(hit.Id)));
        Assert.DoesNotContain(hits, hit => hit.Id == site.Images[1]);
        Assert.Equal(site.Images.Length + 1, (await site.Program.Like(site.Images[1], top: 200)).Length);   // all others, the odd one, and the one to be replaced
    }

    [Theory]
    [InlineData("/search", "no words")]
    [InlineData("/search?words=", "no words")]
    [InlineData("/search?words=%20%09", "no words")]
    [InlineData("/search?words=red&top=0", "top is from 1 to 200, not 0.")]
    [InlineData("/search?words=red&top=201", "top is from 1 to 200, not 201.")]
    [InlineData("/search?words={1001}", "1,001 characters; 1,000 are the most")]
    public async Task SaysWhatCannotBeSearchedFor(string address, string expected)
    {
        var answer = await Client.GetAsync(new Uri(address.Replace("{1001}", new string('a', 1001)), UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(expected, await answer.Content.ReadFromJsonAsync<string>(Cancellation));
    }

    [Fact]
    public async Task TextsMayBeLong() => Assert.NotEmpty(await site.Program.Search(string.Join(' ', Enumerable.Repeat("red", 250))));

    [Fact]
    public async Task ServesTheImagesOfTheIndex()
    {
        foreach (var image in new[] { site.Images[2], site.Odd })
        {
            using var answer = await site.Program.Image(image);
            Assert.Equal("image/png", answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal(await File.ReadAllBytesAsync(image, Cancellation), await answer.Content.ReadAsByteArrayAsync(Cancellation));
        }
    }

    [Fact]
    public async Task ServesNothingElse()
    {
        var red = Path.GetDirectoryName(site.Images[0])!;
        string[] others =
        [
            Path.Combine(site.Checkpoint, "config.json"), "/etc/passwd", red, "", Path.Combine(red, "..", "red", Path.GetFileName(site.Images[0])),
            Path.GetFileName(site.Images[0]), site.Broken, site.Outside, .. site.LinksOut,
        ];
        foreach (var other in others)
        {
            Assert.Equal(HttpStatusCode.NotFound, (await site.Program.Image(other)).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await Client.GetAsync(new Uri($"/like?id={Uri.EscapeDataString(other)}", UriKind.Relative), Cancellation)).StatusCode);
        }
        Assert.Contains($"cannot be read: {site.Broken}", site.Program.Output);
    }

    [Fact]
    public async Task AnImageThatBecameALinkOutOfTheFolderIsNotServed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links are a privilege there.");
        Assert.Equal(HttpStatusCode.OK, (await site.Program.Image(site.Replaced)).StatusCode);
        File.Delete(site.Replaced);
        File.CreateSymbolicLink(site.Replaced, site.Outside);
        Assert.Equal(HttpStatusCode.NotFound, (await site.Program.Image(site.Replaced)).StatusCode);
    }

    [Fact]
    public Task BrowsersAreToldWhatThePageMayDo() => site.Program.Site.AssertIsGuarded();

    /// <summary>As after DNS rebinding, where a foreign page's own name leads to this machine.</summary>
    [Fact]
    public async Task AnswersUnderThisMachinesNamesOnly()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/search?words=red") { Headers = { Host = "images.example" } };
        Assert.Equal(HttpStatusCode.BadRequest, (await Client.SendAsync(request, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task ASecondStartReadsWhatIsNewOrChanged()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A program cannot be asked to end there.");
        using var folder = TestFolders.Temporary();
        var (images, index) = (folder.File("images"), folder.File("index.safetensors"));
        var files = ContractData.Save(folder, count: 6);    // red, green, blue, red, green, blue
        await using (var first = await Start())
            await first.Stop();

        File.Delete(files[0]);
        File.Copy(files[1], files[2], overwrite: true);
        File.SetLastWriteTimeUtc(files[2], DateTime.UtcNow.AddMinutes(1));
        var added = Path.Combine(images, "added.png");
        File.Copy(files[4], added);
        await using var second = await Start();
        Assert.Contains("2 images embedded now, 4 known", second.Output);
        Assert.Equivalent(files[1..].Append(added), (await second.Search("a red square")).Select(hit => hit.Id), strict: true);
        Assert.Equivalent(new[] { files[1], files[2], files[4], added }, (await second.Search("a green square", top: 4)).Select(hit => hit.Id), strict: true);
        await second.Stop();

        Task<ImageSearchProgram> Start() => ImageSearchProgram.Start(site.Checkpoint, images, index);
    }

    /// <summary>Of another size, or of the same size and another network.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    public async Task AnotherNetworksIndexIsNotTaken(int dimensions)
    {
        using var folder = TestFolders.Temporary();
        var other = new EmbeddingIndex(dimensions);
        foreach (var file in ContractData.Save(folder, count: 6))
            other.Add(file, [.. Enumerable.Repeat(1f, dimensions)]);
        other.Save(folder.File("index.safetensors"));
        await using var program = await ImageSearchProgram.Start(site.Checkpoint, folder.File("images"), folder.File("index.safetensors"));
        Assert.Contains("6 images embedded now, 0 known", program.Output);
        Assert.Equal("red", ColorOf((await program.Search("a red square"))[0].Id));
    }

    [Fact]
    public async Task ThePageSearchesInABrowser()
    {
        await using var browser = await Browser.Start();
        await browser.Open(Client.BaseAddress!);
        await browser.WaitFor("document.activeElement?.name === 'words'");

        await browser.Type("a red square");
        await browser.PressEnter();
        await browser.WaitFor("document.querySelectorAll('#hits a').length === 24");
        await browser.WaitFor("[...document.querySelectorAll('#hits img')].slice(0, 8).every(img => img.naturalWidth === 16)");
        Assert.All((await Ids()).Take(8), id => Assert.True(id == site.Odd || ColorOf(id) == "red", id));

        // The file's name is shown, and has not become a part of the page.
        var shown = $"images/{site.OddName}";
        Assert.Contains(shown, await browser.All("#hits .name", "textContent"));
        Assert.Equal(24, (int)(await browser.Evaluate("document.querySelectorAll('#hits img').length"))!);

        await browser.Click($"[...document.querySelectorAll('#hits a')].find(link => link.title === {JsonSerializer.Serialize(site.Odd)})");
        await browser.WaitFor("location.search.startsWith('?like=') && document.querySelectorAll('#hits a').length === 24");
        Assert.All((await Ids()).Take(8), id => Assert.Equal("red", ColorOf(id)));
        Assert.Equal([$"Others like {shown}"], await browser.All("#status", "textContent"));
        Assert.Equal($"Like {shown} - Image search", (string)(await browser.Evaluate("document.title"))!);

        // On a phone.
        await browser.Resize(360, 740);
        await browser.WaitFor("innerWidth === 360 && document.documentElement.scrollWidth === 360");

        await SiteProgram.AssertRunsNothingElse(browser);

        // What cannot be searched for.
        await browser.Open(new Uri(Client.BaseAddress!, "/?words=%20"));
        await browser.WaitFor("document.querySelector('#status.error')?.textContent === 'There are no words to search for.'");

        Task<string[]> Ids() => browser.All("#hits a", "title");
    }

    private static string ColorOf(string id) => Path.GetFileName(Path.GetDirectoryName(id)!);
}
