using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace House;

/// <summary>A file that uses a type, or a member of a type, which another file declares. Paths are relative to the package.</summary>
internal readonly record struct FileUse(string From, string To);

/// <summary>One folder uses another.</summary>
internal sealed record Arrow(string From, string To, IReadOnlyList<FileUse> Uses);

/// <summary>Which folder of the package uses which. This file stands alone, so that a test can compile it too.</summary>
internal sealed class FolderGraph
{
    private const string Package = "Microsoft.ML.VisionModels";
    private static readonly string[] FamilyNames = ["ViT", "Swin", "Clip", "Sam"];

    private FolderGraph(IReadOnlyList<string> folders, IReadOnlyList<Arrow> arrows, IReadOnlyList<string> errors)
    {
        Folders = folders;
        Arrows = arrows;
        Circles = CirclesOf(folders, arrows);
        Errors = errors;
    }

    public IReadOnlyList<string> Folders { get; }

    public IReadOnlyList<Arrow> Arrows { get; }

    /// <summary>Groups of more than one folder, in which each uses each other, if only through a third.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Circles { get; }

    /// <summary>The code of each error of the compilation. The partial methods that source generators would write are among them.</summary>
    public IReadOnlyList<string> Errors { get; }

    /// <param name="root">The repository's root. The package must have been built.</param>
    public static FolderGraph Of(string root)
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest, DocumentationMode.None);
        var trees = SourcesOf(root)
            .Select(path => CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(PackageFolder(root), path)), options, path))
            .ToList();
        var (raised, globalUsings) = BuildOf(root);
        var compilation = CSharpCompilation.Create(
            Package,
            [.. trees, CSharpSyntaxTree.ParseText(globalUsings, options)],
            References(raised),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));

        var arrows = trees.SelectMany(tree => UsesIn(compilation.GetSemanticModel(tree)))
            .GroupBy(use => (From: FolderOf(use.From), To: FolderOf(use.To)))
            .Where(uses => uses.Key.From != uses.Key.To)
            .OrderBy(uses => uses.Key.From, StringComparer.Ordinal).ThenBy(uses => uses.Key.To, StringComparer.Ordinal)
            .Select(uses => new Arrow(uses.Key.From, uses.Key.To, [.. uses.OrderBy(use => use.From, StringComparer.Ordinal).ThenBy(use => use.To, StringComparer.Ordinal)]));
        return new(
            [.. trees.Select(tree => FolderOf(tree.FilePath)).Distinct().Order(StringComparer.Ordinal)],
            [.. arrows],
            [.. compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).Select(diagnostic => diagnostic.Id)]);
    }

    public static string PackageFolder(string root) => Path.Combine(root, "src", Package);

    /// <summary>The package's source files, relative to its folder and with slashes, in order.</summary>
    public static IReadOnlyList<string> SourcesOf(string root) =>
    [
        .. Directory.EnumerateFiles(PackageFolder(root), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(PackageFolder(root), path).Replace('\\', '/'))
            .Where(path => path.Split('/')[0] is not ("bin" or "obj"))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The first folder of a file's path, or the first two of a family's; folders below belong to it.</summary>
    public static string FolderOf(string path) => path.Split('/') switch
    {
        [_] => "(root)",
        ["Families", var family, _, ..] => $"Families/{family}",
        var parts => parts[0],
    };

    public static bool IsFamily(string folder) => folder.StartsWith("Families/", StringComparison.Ordinal) || FamilyNames.Contains(folder);

    private static (string Raised, string GlobalUsings) BuildOf(string root)
    {
        // The newest build of any configuration: a test runs in Debug, the tool in Release.
        var raised = new DirectoryInfo(Path.Combine(PackageFolder(root), "obj"))
            .EnumerateDirectories("mlnet-*", SearchOption.AllDirectories)
            .MaxBy(folder => folder.LastWriteTimeUtc) ?? throw new DirectoryNotFoundException($"{Package} has not been built: obj has no mlnet-* folder.");
        return (raised.FullName, File.ReadAllText(Path.Combine(raised.Parent!.FullName, $"{Package}.GlobalUsings.g.cs")));
    }

    /// <summary>What this program runs on, the framework included: all that the package is compiled against, and a little more.</summary>
    private static IEnumerable<MetadataReference> References(string raised)
    {
        // The raised copies stand for ML.NET's assemblies of the same names; the package itself, and its tests, would hide its source.
        var copies = Directory.GetFiles(raised, "*.dll").ToDictionary(path => Path.GetFileName(path));
        return ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith(Package, StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(copies.GetValueOrDefault(Path.GetFileName(path), path)));
    }

    private static HashSet<FileUse> UsesIn(SemanticModel model)
    {
        // Comments and XML documentation are no descendants. 'var' names nothing; what is done with the variable does.
        var nodes = model.SyntaxTree.GetRoot().DescendantNodes()
            .Where(node => node is ExpressionSyntax and not IdentifierNameSyntax { IsVar: true } or AttributeSyntax or ConstructorInitializerSyntax);
        var uses = new HashSet<FileUse>();
        foreach (var node in nodes)
        {
            var found = model.GetSymbolInfo(node);
            if ((found.Symbol ?? found.CandidateSymbols.FirstOrDefault()) is { } symbol && DeclaringFileOf(symbol) is { } file)
                uses.Add(new(model.SyntaxTree.FilePath, file));
        }
        return uses;
    }

    private static string? DeclaringFileOf(ISymbol symbol)
    {
        // A member that nobody wrote, such as a default constructor, is where its type is; namespaces are nowhere.
        var declared = symbol is IMethodSymbol { ReducedFrom: { } extension } ? extension : symbol.OriginalDefinition;
        while (declared is { DeclaringSyntaxReferences.IsEmpty: true })
            declared = declared.ContainingSymbol;
        // Of a type in several files, the one with the shortest name: Type.cs before Type.Part.cs.
        return declared is null or INamespaceSymbol ? null : declared.DeclaringSyntaxReferences
            .Select(reference => reference.SyntaxTree.FilePath)
            .OrderBy(path => path.Length).ThenBy(path => path, StringComparer.Ordinal).First();
    }

    private static IReadOnlyList<IReadOnlyList<string>> CirclesOf(IReadOnlyList<string> folders, IReadOnlyList<Arrow> arrows)
    {
        // Warshall: after a folder's turn, whatever is reached over it is known.
        var reached = arrows.Select(arrow => (arrow.From, arrow.To)).ToHashSet();
        foreach (var over in folders)
        {
            foreach (var from in folders.Where(from => reached.Contains((from, over))))
                reached.UnionWith(folders.Where(to => reached.Contains((over, to))).Select(to => (from, to)));
        }
        return
        [
            .. folders.Select(folder => folders.Where(other => other == folder || reached.Contains((folder, other)) && reached.Contains((other, folder))).ToList())
                .Where(circle => circle.Count > 1)
                .DistinctBy(circle => circle[0]),
        ];
    }
}

/// <summary>The order of the package's folders: each may use the ones below it.</summary>
internal sealed partial class Floors
{
    private static readonly string[] Default =
    [
        "Core", "Interop", "Imaging", "Masks", "Checkpoints", "Text", "Engine", "Layers", "Generation", "Onnx",
        "Training", "Pipelines", "Families", "Search", "Evaluation", "Sweeps",
    ];

    private readonly List<(string Name, string[] MayUse)> _rows;

    private Floors(string source, IEnumerable<(string Name, string[] MayUse)> rows) => (Source, _rows) = (source, [.. rows]);

    /// <summary>Where the order is from.</summary>
    public string Source { get; }

    /// <summary>Reads the order, bottom first, from docs/architecture.md, or takes the one that it replaces where there is none.</summary>
    public static Floors Read(string root)
    {
        var path = Path.Combine(root, "docs", "architecture.md");
        if (!File.Exists(path))
            return new("the tool's own", Default.Select(name => (name, Array.Empty<string>())));
        // A line of a table begins with a bar: its cells are the parts after that. The line of dashes names no folder.
        var rows = File.ReadLines(path)
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .SkipWhile(cells => cells is not ["", var header, ..] || !header.Equals("floor", StringComparison.OrdinalIgnoreCase))
            .TakeWhile(cells => cells is ["", _, ..])
            .SelectMany(cells => NamesIn(cells[1]), (cells, name) => (name, NamesIn(cells.ElementAtOrDefault(3) ?? "")))
            .ToList();
        return rows.Count > 0 ? new("docs/architecture.md", rows) : throw new InvalidDataException("docs/architecture.md has no table whose first header is 'floor'.");
    }

    /// <summary>Whether a folder has a place in the order. Arrows from or to one that has none are never upward.</summary>
    public bool Has(string folder) => HeightOf(folder) >= 0;

    /// <summary>The arrows to a higher floor, and those between families for which the order gives no reason.</summary>
    public IReadOnlyList<Arrow> Upward(FolderGraph graph) => [.. graph.Arrows.Where(arrow => IsUpward(HeightOf(arrow.From), HeightOf(arrow.To), arrow))];

    private bool IsUpward(int from, int to, Arrow arrow) => from >= 0 && to >= 0 &&
        (FolderGraph.IsFamily(arrow.From) && FolderGraph.IsFamily(arrow.To) ? !_rows[from].MayUse.Contains(NameOf(arrow.To)) : to > from);

    private int HeightOf(string folder)
    {
        var height = _rows.FindIndex(row => row.Name == NameOf(folder));
        return height < 0 && FolderGraph.IsFamily(folder) ? _rows.FindIndex(row => row.Name == "Families") : height;
    }

    private static string[] NamesIn(string cell) => [.. InBackticks().Matches(cell).Select(match => NameOf(match.Groups[1].Value.TrimEnd('/')))];

    /// <summary>A family is the same inside Families/ and beside it.</summary>
    private static string NameOf(string folder) => folder.StartsWith("Families/", StringComparison.Ordinal) ? folder["Families/".Length..] : folder;

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex InBackticks();
}
