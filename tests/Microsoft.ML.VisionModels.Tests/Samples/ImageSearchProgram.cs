using System.Net.Http.Json;

namespace Microsoft.ML.VisionModels.Tests.Samples;

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
