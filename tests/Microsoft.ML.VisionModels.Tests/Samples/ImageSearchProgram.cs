using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;

namespace Microsoft.ML.VisionModels.Tests.Samples;

/// <summary>The sample's program, while it serves a folder's pictures.</summary>
internal sealed class ImageSearchProgram : IAsyncDisposable
{
    private readonly TestProgram _program;

    private ImageSearchProgram(TestProgram program, Uri address)
    {
        _program = program;
        Client = new() { BaseAddress = address };
    }

    public sealed record Hit(string Id, float Score);

    public HttpClient Client { get; }

    /// <summary>What it said before its page was there.</summary>
    public string Output { get; private set; } = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<ImageSearchProgram> Start(string checkpoint, string pictures, string index)
    {
        var port = FreePort();
        var program = TestProgram.Start("ImageSearchProgram", "--checkpoint", checkpoint, "--data", pictures, "--index", index, "--port", $"{port}", "--device", "cpu");
        var started = new ImageSearchProgram(program, new Uri($"http://localhost:{port}"));
        var output = new StringBuilder();
        while (await program.StandardOutput.ReadLineAsync(Cancellation) is { } line)
        {
            output.AppendLine(line);
            if (line.Contains("http://localhost:"))
            {
                started.Output = output.ToString();
                return started;
            }
        }
        await program.AssertSuccess();
        throw new InvalidOperationException($"The program ended before its page was there: {output}");
    }

    public async Task<Hit[]> Search(string words, int top = 24) => await Hits($"/search?words={Uri.EscapeDataString(words)}&top={top}");

    public async Task<Hit[]> Like(string id, int top = 24) => await Hits($"/like?id={Uri.EscapeDataString(id)}&top={top}");

    public Task<HttpResponseMessage> Picture(string id) => Client.GetAsync(new Uri($"/picture?id={Uri.EscapeDataString(id)}", UriKind.Relative), Cancellation);

    /// <summary>Asks it to end.</summary>
    public Task Stop() => _program.Terminate();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _program.Kill();
        _program.Dispose();
    }

    private async Task<Hit[]> Hits(string address) => (await Client.GetFromJsonAsync<Hit[]>(new Uri(address, UriKind.Relative), Cancellation))!;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
