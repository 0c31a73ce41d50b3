using System.Net.Http.Json;
using Microsoft.ML.VisionModels.Tests.Clip;
using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests.Samples;

/// <summary>The sample over toy images, one of which has a name that would be HTML, and one of which is none.</summary>
public sealed class ImageSearchSite(TrainedClip trained) : IAsyncLifetime
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    internal ImageSearchProgram Program { get; private set; } = null!;

    internal string[] Images { get; private set; } = [];

    internal string OddName => SiteProgram.OddImage;

    internal string Odd => _folder.File(Path.Combine("images", OddName));

    internal string Broken => _folder.File(Path.Combine("images", "broken.png"));

    internal string Checkpoint => trained.Checkpoint;

    /// <summary>An image that is not in the folder.</summary>
    internal string Outside => _folder.File("outside/red.png");

    /// <summary>Links to it, by itself and by its folder.</summary>
    internal string[] LinksOut => [_folder.File("images/out.png"), _folder.File("images/elsewhere/red.png")];

    /// <summary>An image that a test replaces.</summary>
    internal string Replaced => _folder.File("images/replaced.png");

    public async ValueTask InitializeAsync()
    {
        Images = ContractData.Save(_folder);
        File.Copy(Images[0], Odd);
        File.WriteAllText(Broken, "no image");
        File.Copy(Images[0], Replaced);
        Directory.CreateDirectory(Path.GetDirectoryName(Outside)!);
        File.Copy(Images[0], Outside);
        if (!OperatingSystem.IsWindows())       // where links are a privilege
        {
            File.CreateSymbolicLink(LinksOut[0], Outside);
            Directory.CreateSymbolicLink(Path.GetDirectoryName(LinksOut[1])!, Path.GetDirectoryName(Outside)!);
            Directory.CreateSymbolicLink(_folder.File("images/loop"), _folder.File("images"));
        }
        Program = await ImageSearchProgram.Start(trained.Checkpoint, _folder.File("images"), _folder.File("index.safetensors"));
    }

    public async ValueTask DisposeAsync()
    {
        await Program.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>samples/ImageSearch, while it serves a folder's images.</summary>
internal sealed class ImageSearchProgram(SiteProgram program) : IAsyncDisposable
{
    public sealed record Hit(string Id, float Score);

    public HttpClient Client => program.Client;

    public SiteProgram Site => program;

    public string Output => program.Output;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<ImageSearchProgram> Start(string checkpoint, string images, string index) =>
        new(await SiteProgram.Start("ImageSearchProgram", "--checkpoint", checkpoint, "--data", images, "--index", index));

    public async Task<Hit[]> Search(string words, int top = 24) => await Hits($"/search?words={Uri.EscapeDataString(words)}&top={top}");

    public async Task<Hit[]> Like(string id, int top = 24) => await Hits($"/like?id={Uri.EscapeDataString(id)}&top={top}");

    public Task<HttpResponseMessage> Image(string id) => Client.GetAsync(new Uri($"/image?id={Uri.EscapeDataString(id)}", UriKind.Relative), Cancellation);

    public Task Stop() => program.Stop();

    public ValueTask DisposeAsync() => program.DisposeAsync();

    private async Task<Hit[]> Hits(string address) => (await Client.GetFromJsonAsync<Hit[]>(new Uri(address, UriKind.Relative), Cancellation))!;
}
