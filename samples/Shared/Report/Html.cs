using System.Net;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Samples.Report;

/// <summary>The page's small parts.</summary>
internal static class Html
{
    public static string Section(string title, string explanation, string content) =>
        $"<section><h2>{Encode(title)}</h2>{(explanation.Length > 0 ? $"<p class='explanation'>{Encode(explanation)}</p>" : "")}{content}</section>";

    public static string Card(string value, string name, string note, string style = "") =>
        $"<div class='card {style}'><b>{value}</b><span>{name}</span><small>{note}</small></div>";

    public static string Grid(IEnumerable<string> cards) => $"<div class='cards'>{string.Concat(cards)}</div>";

    public static string Bar(string label, double share, string style) =>
        $"<div class='bar {style}'><span>{Encode(label)}</span><b>{Percent(share)}</b><i style='width:{share * 100:0.#}%'></i></div>";

    public static string Pairs(string title, IEnumerable<(string Name, string Value)> pairs) =>
        $"<div><h3>{title}</h3><table>{string.Concat(pairs.Select(pair => $"<tr><td>{Encode(pair.Name)}</td><td class='number'>{Encode(pair.Value)}</td></tr>"))}</table></div>";

    public static string Duration(TimeSpan time) =>
        time.TotalMinutes >= 1 ? $"{(int)time.TotalMinutes} min {time.Seconds} s" : $"{time.TotalSeconds:0.0} s";

    /// <summary>A share of 0 to 1; a dash where there is none.</summary>
    public static string Percent(double share) => double.IsNaN(share) ? "–" : $"{share * 100:0.0} %";

    public static string Encode(string text) => WebUtility.HtmlEncode(text);

    public static string Style()
    {
        using var reader = new StreamReader(typeof(Html).Assembly.GetManifestResourceStream("report.css")!);
        return reader.ReadToEnd();
    }
}
