using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Microsoft.ML.VisionModels.Tests.Samples;

/// <summary>A sample's program, while it serves its page.</summary>
internal sealed class SiteProgram : IAsyncDisposable
{
    /// <summary>A name that an image may have, and that a page must show as it is: quotes, and a tag that would run a script, where files may have them.</summary>
    public static readonly string OddImage = OperatingSystem.IsWindows() ? "it's &lt; a red.png" : """it's "red" <img src=x onerror=document.title='run'> &lt;.png""";

    private readonly TestProgram _program;

    private SiteProgram(TestProgram program, Uri address)
    {
        _program = program;
        Client = new() { BaseAddress = address };
    }

    public HttpClient Client { get; }

    /// <summary>What it said before its page was there.</summary>
    public string Output { get; private set; } = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="name">The entry of the tests' assembly that says where the program is.</param>
    /// <param name="arguments">Its arguments, but for the port.</param>
    public static async Task<SiteProgram> Start(string name, params string[] arguments)
    {
        var port = FreePort();
        var program = TestProgram.Start(name, [.. arguments, "--port", $"{port}"]);
        var started = new SiteProgram(program, new Uri($"http://localhost:{port}"));
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

    /// <summary>Asserts what browsers are told of a page: its own script and style alone, in no frame.</summary>
    public async Task AssertIsGuarded()
    {
        using var answer = await Client.GetAsync(new Uri("/", UriKind.Relative), Cancellation);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy")).Split("; ");
        Assert.Superset(new HashSet<string> { "default-src 'none'", "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'" }, policy.ToHashSet());
        var page = await answer.Content.ReadAsStringAsync(Cancellation);
        foreach (var (rule, tag) in new[] { ("script-src", "script"), ("style-src", "style") })
        {
            var content = Assert.Single(Regex.Matches(page, $"<{tag}[^>]*>(.*?)</{tag}>", RegexOptions.Singleline)).Groups[1].Value;
            Assert.Contains($"{rule} 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}'", policy);
        }
        Assert.DoesNotMatch(@"\s(on\w+|style)\s*=\s*""", Regex.Replace(page, "<(script|style)[^>]*>.*?</", "", RegexOptions.Singleline));   // which the policy would silence
        Assert.DoesNotContain(policy, rule => rule.Contains("unsafe", StringComparison.Ordinal) || rule.Contains('*', StringComparison.Ordinal));
        Assert.Equal("DENY", Assert.Single(answer.Headers.GetValues("X-Frame-Options")));
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
    }

    /// <summary>Asserts that a script or style that came into the page from elsewhere does nothing.</summary>
    public static async Task AssertRunsNothingElse(Browser browser)
    {
        await browser.Evaluate("for (const [tag, text] of [['script', 'document.title = `run`'], ['style', 'body { opacity: 0.125 }']]) document.head.append(Object.assign(document.createElement(tag), { textContent: text }))");
        Assert.NotEqual("run", (string?)await browser.Evaluate("document.title"));
        Assert.Equal("1", (string?)await browser.Evaluate("getComputedStyle(document.body).opacity"));
    }

    /// <summary>Asks it to end.</summary>
    public Task Stop() => _program.Terminate();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _program.Kill();
        _program.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
