namespace Microsoft.ML.VisionModels.Tests.Samples;

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
        File.Copy(golden.File("plain.png"), Path.Combine(Folder, OddNames.Image));
        File.WriteAllText(Path.Combine(Folder, "zz broken.png"), "no image");
        File.WriteAllText(_folder.File("secret.png"), "outside the folder");
        Checkpoint = golden.Path;
        Program = await SiteProgram.Start("SegmentPageProgram", "--checkpoint", Checkpoint, "--data", Folder);
    }

    public async ValueTask DisposeAsync()
    {
        await Program.DisposeAsync();
        _folder.Dispose();
    }
}
