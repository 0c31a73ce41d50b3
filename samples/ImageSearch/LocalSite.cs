namespace Samples;

/// <summary>A page for the person at this machine alone.</summary>
internal static class LocalSite
{
    /// <summary>A site without anything on it yet.</summary>
    public static WebApplication Build(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        // Private images: nobody else on the network is answered, and no foreign page that calls this machine by a name of its own.
        builder.WebHost.ConfigureKestrel(server => server.ListenLocalhost(port));
        builder.Configuration["AllowedHosts"] = "localhost;127.0.0.1;[::1]";

        var site = builder.Build();
        site.Use((context, next) =>
        {
            context.Response.Headers.XContentTypeOptions = "nosniff";
            context.Response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
            return next(context);
        });
        return site;
    }

    /// <summary>The program's page.html.</summary>
    public static string ReadPage()
    {
        using var reader = new StreamReader(typeof(LocalSite).Assembly.GetManifestResourceStream("page.html")!);
        return reader.ReadToEnd();
    }
}
