using Microsoft.ML.VisionModels;
using Samples.Report;
using static Microsoft.ML.VisionModels.Reports.Html;

namespace CleanFolderSample;

/// <summary>The page on which a person sees what was found.</summary>
internal static class CleaningPage
{
    private const int MostGroups = 150, MostOfGroup = 12, MostClusters = 30, MostOfCluster = 10, MostUnreadable = 20;

    public static string Of(Findings found, int odd)
    {
        var (groups, outliers) = (found.Duplicates.Groups, found.Outliers.Rows);
        var spare = groups.Sum(group => group.Ids.Count - 1);
        var shown = Math.Min(odd, outliers.Count);
        return Page("A folder, looked through", Path.GetFileName(found.Folder), Style, $"""
            {Headline(
                Card($"{spare:N0}", "images to spare", $"in {groups.Count:N0} groups of near-duplicates, of each of which one is kept", "hero"),
                Card($"{outliers.Count:N0}", "images", found.Folder),
                Card($"{found.Clusters.All.Count:N0}", "clusters", "kinds of images, as the network sees them"),
                Card($"{found.Outliers.LeftOut.Count:N0}", "unreadable", "damaged files, or no images"))}
            <p class="more"><a href="map.html">The map of the folder</a> · <a href="images.csv">images.csv</a>, a row an image</p>
            {Section("Near-duplicates", $"The same image twice or more: resized, compressed again, cut a little. The first of each group has the most pixels.{(groups.Count > MostGroups ? $" The first {MostGroups} of {groups.Count:N0} groups; all are in images.csv." : "")}",
                groups.Count == 0 ? "<p>There are none.</p>" : string.Concat(groups.Take(MostGroups).Select(group => Group(found, group))))}
            {Section("The odd ones out", $"The {shown} images that are least like any others: things that do not belong here, or that there should be more of. The number is the mean distance to the ten nearest others.",
                Cards(outliers.Take(shown).Select(row => Image(found, row.Id, $"{row.Score:0.000}"))))}
            {Section("What there is", $"Clusters, the largest first, with their most typical images.{(found.Clusters.All.Count > MostClusters ? $" The first {MostClusters}." : "")}",
                string.Concat(found.Clusters.All.Take(MostClusters).Select((cluster, i) => $"<h3>{i + 1}: {cluster.Rows.Count:N0} images</h3>{Cards(cluster.Rows.Take(MostOfCluster).Select(row => Image(found, row.Id, "")))}")))}
            {Unreadable(found)}
            """);
    }

    private static string Group(Findings found, DuplicateGroup group)
    {
        var ranked = Findings.Ranked(group);
        var more = ranked.Count > MostOfGroup ? $"<small>and {ranked.Count - MostOfGroup:N0} more</small>" : "";
        return $"<div class='group'>{Cards(ranked.Take(MostOfGroup).Select((image, i) => Image(found, image.Path, $"{(i == 0 ? "keep: " : "")}{image.Width} x {image.Height}, {Math.Max(1, image.Bytes / 1024):N0} KB", i == 0 ? "keep" : "")))}{more}</div>";
    }

    private static string Image(Findings found, string path, string note, string style = "") =>
        $"<article class='{style}' title='{Encode(path)}'><div class='frame'>{InlineImage.Element(path)}</div><small>{Encode(found.Name(path))}</small>{(note.Length > 0 ? $"<small class='note'>{Encode(note)}</small>" : "")}</article>";

    private static string Cards(IEnumerable<string> cards) => $"<div class='cards'>{string.Concat(cards)}</div>";

    private static string Unreadable(Findings found) => found.Outliers.LeftOut.Count == 0 ? "" : Section("Could not be read", "Damaged files, or no images.",
        $"<ul>{string.Concat(found.Outliers.LeftOut.Take(MostUnreadable).Select(path => $"<li><code>{Encode(found.Name(path))}</code></li>"))}{(found.Outliers.LeftOut.Count > MostUnreadable ? $"<li>and {found.Outliers.LeftOut.Count - MostUnreadable:N0} more, in images.csv</li>" : "")}</ul>");

    private const string Style = """
        .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(120px, 1fr)); gap: 14px; margin: 10px 0 18px; }
        article { min-width: 0; font-size: 12px; }
        article small { display: block; color: var(--soft); overflow-wrap: anywhere; }
        .frame { display: flex; align-items: center; justify-content: center; aspect-ratio: 1; margin-bottom: 4px; overflow: hidden; background: var(--ground); border-radius: 10px; }
        .frame img { display: block; max-width: 100%; max-height: 100%; }
        .frame .pixelated { width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated; }
        .group { padding-top: 4px; border-top: 1px solid var(--rule); }
        .keep .frame { outline: 3px solid var(--right); } .keep .note { color: var(--right); font-weight: 600; }
        .more { margin: 16px 2px 0; } a { color: var(--accent); }
        .broken { color: var(--soft); font-size: 13px; }
        code { font: 13px ui-monospace, Consolas, monospace; overflow-wrap: anywhere; }
        """;
}
