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

    public async ValueTask InitializeAsync()
    {
        Images = ContractData.Save(_folder);
        File.Copy(Images[0], Odd);
        File.WriteAllText(Broken, "no image");
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
