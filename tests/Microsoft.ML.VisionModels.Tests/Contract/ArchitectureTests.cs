using House;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>
/// The floors of docs/architecture.md's table. Read from the source rather than from the compiled package: public types all have one
/// namespace, whatever their folder.
/// </summary>
public class ArchitectureTests
{
    private static readonly Lazy<FolderGraph> s_graph = new(() => FolderGraph.Of(TestFolders.Checkout));

    [Fact]
    public void EveryFolderHasAFloor()
    {
        var floors = Floors.Read(TestFolders.Checkout);
        Assert.All(s_graph.Value.Folders, folder => Assert.True(floors.Has(folder), $"docs/architecture.md has no row for {folder}."));
    }

    [Fact]
    public void NoArrowGoesUpwards()
    {
        var upward = Floors.Read(TestFolders.Checkout).Upward(s_graph.Value).SelectMany(arrow => arrow.Uses).Select(use => $"{use.From} uses {use.To}").ToArray();
        Assert.True(upward.Length == 0, string.Join('\n', upward));
    }

    [Fact]
    public void NoFoldersGoInACircle() =>
        Assert.Empty(s_graph.Value.Circles.Select(circle => string.Join(", ", circle)));

    [Fact] // or the tests above would pass by seeing nothing
    public void TheGraphSeesArrows()
    {
        Assert.Contains(s_graph.Value.Arrows, arrow => arrow is { From: "Families/Clip", To: "Families/ViT" });
        Assert.All(s_graph.Value.Errors, error => Assert.Equal("CS8795", error));   // partial methods that source generators write
    }

    [Fact]
    public void NamespacesOfInternalTypesAreTheirFolders()
    {
        foreach (var path in FolderGraph.SourcesOf(TestFolders.Checkout))
        {
            var text = File.ReadAllText(Path.Combine(FolderGraph.PackageFolder(TestFolders.Checkout), path));
            var space = text.Split('\n').First(line => line.StartsWith("namespace ", StringComparison.Ordinal))["namespace ".Length..].TrimEnd(';', '\r');
            if (space == "System.Runtime.CompilerServices")
                continue;
            if (space is "Microsoft.ML" or "Microsoft.ML.VisionModels")
                Assert.True(text.Contains("\npublic ", StringComparison.Ordinal), $"{path} has no public type, and the namespace of public types.");
            else
                Assert.Equal($"Microsoft.ML.VisionModels.{Path.GetDirectoryName(path)!.Replace(Path.DirectorySeparatorChar, '.')}", space);
        }
    }
}
