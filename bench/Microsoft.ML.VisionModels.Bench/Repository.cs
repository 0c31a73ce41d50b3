namespace Microsoft.ML.VisionModels.Bench;

/// <summary>Where the sources of the benchmarks lie.</summary>
internal static class Repository
{
    /// <summary>The folder bench/ of the checkout that this program was built in.</summary>
    public static string Bench { get; } = Find();

    /// <summary>Where "prepare" writes; not in version control.</summary>
    public static string Data => Path.Combine(Bench, "data");

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Microsoft.ML.VisionModels.sln")))
                return Path.Combine(folder.FullName, "bench");
        }
        throw new InvalidOperationException("The benchmarks run from within the repository: their results and scripts are there.");
    }
}
