namespace Microsoft.ML.VisionModels.Tests;

/// <summary>Where tests find their material. Golden cases travel with the tests; what is larger is read in place, or the test skips.</summary>
internal static class TestFolders
{
    /// <summary>The reference cases: tests/Golden, or the folder that VISIONMODELS_GOLDEN names.</summary>
    public static string Golden => HasOtherGolden ? Environment.GetEnvironmentVariable("VISIONMODELS_GOLDEN")! : OwnGolden;

    /// <summary>Whether the reference cases are others than those that the tests were written with.</summary>
    public static bool HasOtherGolden => Environment.GetEnvironmentVariable("VISIONMODELS_GOLDEN") is not null;

    /// <summary>The reference cases that the tests were written with.</summary>
    public static string OwnGolden => Path.Combine(AppContext.BaseDirectory, "Golden");

    /// <summary>The repository's root.</summary>
    public static string Checkout { get; } = FindCheckout();

    /// <summary>The tensors of published checkpoints, by name and shape.</summary>
    public static string Manifests => Path.Combine(AppContext.BaseDirectory, "Manifests");

    /// <summary>Small image files, and what Pillow makes of them.</summary>
    public static string Images => Path.Combine(AppContext.BaseDirectory, "Images");

    /// <summary>Real images and weights (VISIONMODELS_DATA, or shared/data beside the checkout); skips the test where they are absent.</summary>
    public static string Data(string path) => BesideCheckout("VISIONMODELS_DATA", "data", path);

    /// <summary>Published vocabularies (VISIONMODELS_TOKENIZERS, or shared/reference/tokenizers beside the checkout); skips the test where they are absent.</summary>
    public static string Tokenizers(string path) => BesideCheckout("VISIONMODELS_TOKENIZERS", Path.Combine("reference", "tokenizers"), path);

    /// <summary>A new folder that is deleted with the returned object.</summary>
    public static TemporaryFolder Temporary() => new();

    private static string BesideCheckout(string variable, string folder, string path)
    {
        var root = Environment.GetEnvironmentVariable(variable) ?? Path.Combine(Path.GetDirectoryName(Checkout) ?? Checkout, "shared", folder);
        var full = Path.Combine(root, path);
        Assert.SkipUnless(File.Exists(full) || Directory.Exists(full), $"{path} is not here; set {variable} to the folder that holds it.");
        return full;
    }

    // Not the compiler's path of a source file: reproducible builds write another.
    private static string FindCheckout()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Microsoft.ML.VisionModels.sln")))
                return folder.FullName;
        }
        return AppContext.BaseDirectory;
    }

    internal sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("visionmodels-").FullName;

        public string File(string name) => System.IO.Path.Combine(Path, name);

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
