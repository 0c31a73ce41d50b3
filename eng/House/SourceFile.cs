using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace House;

/// <summary>A file of the package's source; the path is relative to the package.</summary>
internal sealed partial record SourceFile(string Path, string Text)
{
    public string Folder => FolderGraph.FolderOf(Path);

    public int Lines { get; } = Text.AsSpan().Count('\n');

    /// <summary>Whether the role in its name says that it fits a network into ML.NET's pipelines, as every family's does.</summary>
    public bool IsPlumbing => PlumbingName().IsMatch(Path);

    /// <summary>Whether an identifier in code has the learning rate in it.</summary>
    public bool NamesLearningRate => CSharpSyntaxTree.ParseText(Text).GetRoot().DescendantTokens()
        .Any(token => token.IsKind(SyntaxKind.IdentifierToken) && MentionsLearningRateIn(token.ValueText));

    /// <summary>Whether the text has, comments and all.</summary>
    public bool MentionsLearningRate => MentionsLearningRateIn(Text);

    public static IReadOnlyList<SourceFile> All(string root) =>
        [.. FolderGraph.SourcesOf(root).Select(path => new SourceFile(path, File.ReadAllText(System.IO.Path.Combine(FolderGraph.PackageFolder(root), path))))];

    private static bool MentionsLearningRateIn(string text) => text.Contains("LearningRate", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"(Estimator|Transformer|Options|Settings|Model|Scorer|Catalog|Blueprint|Source|Config\.HuggingFace)\.cs\z")]
    private static partial Regex PlumbingName();
}
