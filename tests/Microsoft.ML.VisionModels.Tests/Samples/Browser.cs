using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Microsoft.ML.VisionModels.Tests.Samples;

/// <summary>A headless Chromium with one page, driven by its DevTools protocol: real keys, real clicks.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string[] s_options =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0",
    ];

    private readonly TestFolders.TemporaryFolder _profile = TestFolders.Temporary();
    private readonly ClientWebSocket _page = new();
    private readonly Process _process;
    private int _commands;

    private Browser(string program)
    {
        _process = Process.Start(new ProcessStartInfo(program, [.. s_options, $"--user-data-dir={_profile.Path}", "about:blank"]) { RedirectStandardError = true })!;
        _process.BeginErrorReadLine();  // it complains of what a headless machine does not have
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts it, or skips the test where there is none.</summary>
    public static async Task<Browser> Start()
    {
        var program = Environment.GetEnvironmentVariable("CHROME_PATH") ?? "/usr/bin/chromium";
        Assert.SkipUnless(File.Exists(program), "There is no Chromium; set CHROME_PATH to its program.");
        var browser = new Browser(program);
        await browser.Connect();
        return browser;
    }

    public Task Open(Uri address) => Send("Page.navigate", new { url = address });

    /// <summary>As on a screen of this size.</summary>
    public Task Resize(int width, int height) => Send("Emulation.setDeviceMetricsOverride", new { width, height, deviceScaleFactor = 1, mobile = true });

    /// <summary>The value of a JavaScript expression; null also while the page changes.</summary>
    public async Task<JsonNode?> Evaluate(string expression)
    {
        var answer = await Send("Runtime.evaluate", new { expression, returnByValue = true });
        return answer["result"]?["result"]?["value"];
    }

    /// <summary>A property of each element that a selector finds.</summary>
    public async Task<string[]> All(string selector, string property) =>
        (await Evaluate($"[...document.querySelectorAll('{selector}')].map(element => element.{property})")).Deserialize<string[]>()!;

    public Task WaitFor(string condition) => Until(async () => await Evaluate(condition) is JsonValue value && value.GetValueKind() == JsonValueKind.True, condition);

    public Task Type(string text) => Send("Input.insertText", new { text });

    public async Task PressEnter()
    {
        await Send("Input.dispatchKeyEvent", new { type = "keyDown", key = "Enter", code = "Enter", text = "\r", windowsVirtualKeyCode = 13 });
        await Send("Input.dispatchKeyEvent", new { type = "keyUp", key = "Enter", code = "Enter", windowsVirtualKeyCode = 13 });
    }

    /// <summary>Clicks into the middle of the element that an expression gives.</summary>
    public Task Click(string element) => Click(element, 0.5, 0.5);

    /// <summary>Clicks into the element that an expression gives.</summary>
    /// <param name="element">The expression.</param>
    /// <param name="x">Where: a part of the element's width.</param>
    /// <param name="y">A part of its height.</param>
    /// <param name="button">"left" or "right".</param>
    /// <param name="shift">Whether the Shift key is held.</param>
    public async Task Click(string element, double x, double y, string button = "left", bool shift = false)
    {
        await Evaluate($"{element}.scrollIntoView({{ block: 'center' }})");
        var box = (await Evaluate($"(box => [box.x, box.y, box.width, box.height])({element}.getBoundingClientRect())")).Deserialize<double[]>()!;
        foreach (var type in new[] { "mousePressed", "mouseReleased" })
            await Send("Input.dispatchMouseEvent", new { type, x = box[0] + x * box[2], y = box[1] + y * box[3], button, clickCount = 1, modifiers = shift ? 8 : 0 });
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _page.Dispose();
        _profile.Dispose();
    }

    /// <summary>The browser writes down the port that it took; there it tells of its page.</summary>
    private async Task Connect()
    {
        var file = _profile.File("DevToolsActivePort");
        await Until(() => Task.FromResult(File.Exists(file) && File.ReadAllLines(file).Length >= 2), "the browser's port");
        using var client = new HttpClient();
        var targets = await client.GetFromJsonAsync<JsonArray>($"http://127.0.0.1:{File.ReadLines(file).First()}/json/list", Cancellation);
        var page = targets!.Single(target => (string)target!["type"]! == "page")!;
        await _page.ConnectAsync(new Uri((string)page["webSocketDebuggerUrl"]!), Cancellation);
    }

    /// <summary>Sends a command and waits for its answer. No events are asked for, and so none come.</summary>
    private async Task<JsonNode> Send(string method, object parameters)
    {
        var command = JsonSerializer.SerializeToUtf8Bytes(new { id = ++_commands, method, @params = parameters });
        await _page.SendAsync(command, WebSocketMessageType.Text, endOfMessage: true, Cancellation);
        using var answer = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (var end = false; !end;)
        {
            var part = await _page.ReceiveAsync(buffer, Cancellation);
            answer.Write(buffer, 0, part.Count);
            end = part.EndOfMessage;
        }
        return JsonNode.Parse(answer.ToArray())!;
    }

    private static async Task Until(Func<Task<bool>> condition, string what)
    {
        for (var watch = Stopwatch.StartNew(); !await condition(); await Task.Delay(50, Cancellation))
            Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1), $"Waited in vain for {what}");
    }
}
