using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Fuzz;

/// <summary>A reader of files that is tried. A class that derives from this one takes part: it is found by reflection.</summary>
internal abstract class Reader
{
    public static IReadOnlyList<Reader> All { get; } = [.. FindAll().OrderBy(reader => reader.Name, StringComparer.Ordinal)];

    public abstract string Name { get; }

    /// <summary>The exceptions that its documentation names.</summary>
    public abstract IReadOnlyList<Type> Documented { get; }

    /// <summary>Writes sound inputs, each into a folder of its own, and small ones.</summary>
    public abstract void Prepare(string folder);

    /// <summary>Reads the input in a folder.</summary>
    public abstract void Read(string folder);

    /// <summary>Whether an exception may come; by default those that are documented.</summary>
    public virtual bool Allows(Exception exception) => Documented.Contains(exception.GetType());

    /// <summary>A file of the repository's tests.</summary>
    protected static string TestFile(params string[] path) => Path.Combine([Checkout, "tests", .. path]);

    /// <summary>Copies a file of the repository's tests into a new input.</summary>
    protected static void Copy(string folder, string input, params string[] files)
    {
        var target = Directory.CreateDirectory(Path.Combine(folder, input)).FullName;
        foreach (var file in files)
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
    }

    /// <summary>The only file of an input.</summary>
    protected static string FileOf(string folder) => Directory.GetFiles(folder).Single();

    private static string Checkout { get; } = FindCheckout();

    private static string FindCheckout()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Microsoft.ML.VisionModels.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("The program is not within a checkout of the repository, whose tests have the inputs.");
    }

    private static IEnumerable<Reader> FindAll() => typeof(Reader).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(Reader)) && !type.IsAbstract)
        .Select(type => (Reader)Activator.CreateInstance(type, nonPublic: true)!);
}
