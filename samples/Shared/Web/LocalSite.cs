using System.Security.Cryptography;
using System.Text;

namespace Samples;

/// <summary>A page for the person at this machine alone.</summary>
internal static class LocalSite
{
    // Questions are short: names and some points. What is longer is not read.
    private const int LongestQuestion = 64 << 10;

    /// <summary>A site that shows the program's page.html, and answers nothing else yet.</summary>
    /// <param name="port">On this machine alone.</param>
    /// <param name="change">Fills in what the page leaves open outside its script and style; null for nothing.</param>
    public static WebApplication Build(int port, Func<string, string>? change = null)
    {
        // As in production, whatever the environment says: errors go to the window, and not to the page with all that they tell of the machine.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        // Private images: nobody else on the network is answered, and no foreign page that calls this machine by a name of its own.
        builder.WebHost.ConfigureKestrel(server =>
        {
            server.ListenLocalhost(port);
            server.Limits.MaxRequestBodySize = LongestQuestion;
        });
        builder.Configuration["AllowedHosts"] = "localhost;127.0.0.1;[::1]";

        var page = ReadPage();
        var policy = PolicyFor(page);
        var site = builder.Build();
        site.Use((context, next) =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = policy;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers["Referrer-Policy"] = "no-referrer";     // addresses hold words and names of images
            return next(context);
        });
        page = change?.Invoke(page) ?? page;
        site.MapGet("/", () => Microsoft.AspNetCore.Http.Results.Content(page, "text/html; charset=utf-8"));
        return site;
    }

    /// <summary>What browsers let a page do: its own script and style, this site's images and answers, in no frame. What gets into the page otherwise does nothing.</summary>
    private static string PolicyFor(string page) => string.Join("; ",
        "default-src 'none'", $"script-src {HashOf(page, "<script type=\"module\">", "</script>")}", $"style-src {HashOf(page, "<style>", "</style>")}",
        "img-src 'self' data:", "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'");

    private static string HashOf(string page, string start, string end)
    {
        var from = page.IndexOf(start, StringComparison.Ordinal) + start.Length;
        var content = page[from..page.IndexOf(end, from, StringComparison.Ordinal)];
        return $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}'";
    }

    private static string ReadPage()
    {
        using var reader = new StreamReader(typeof(LocalSite).Assembly.GetManifestResourceStream("page.html")!);
        return reader.ReadToEnd().ReplaceLineEndings("\n");     // as browsers read it, before they look at its parts
    }
}
