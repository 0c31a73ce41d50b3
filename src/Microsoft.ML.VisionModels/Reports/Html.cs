using System.Net;

namespace Microsoft.ML.VisionModels.Reports;

/// <summary>A report, which is one page that needs nothing but itself, and its parts. Texts are encoded; content is HTML.</summary>
internal static class Html
{
    /// <param name="kicker">What was done, in a few words.</param>
    /// <param name="title">The title.</param>
    /// <param name="style">A style sheet for what this page has and others do not.</param>
    /// <param name="content">The page's sections.</param>
    public static string Page(string kicker, string title, string style, string content) => $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{Encode(title)}: {Encode(kicker)}</title>
        <style>
        {Style.Sheet}
        {style}
        </style>
        </head>
        <body>
        <header><p class="kicker">{Encode(kicker)}</p><h1>{Encode(title)}</h1></header>
        {content}
        </body>
        </html>
        """;

    public static string Section(string title, string explanation, string content) =>
        $"<section><h2>{Encode(title)}</h2>{(explanation.Length > 0 ? $"<p class='explanation'>{Encode(explanation)}</p>" : "")}{content}</section>";

    /// <summary>The cards that tell the most important things first.</summary>
    public static string Headline(params IEnumerable<string> cards) => $"<section class='headline'>{string.Concat(cards)}</section>";

    public static string Card(string value, string name, string note, string style = "") =>
        $"<div class='card {style}'><b>{Encode(value)}</b><span>{Encode(name)}</span><small>{Encode(note)}</small></div>";

    /// <summary>A name and its share, over a bar that is as long.</summary>
    public static string Bar(string name, double share, string style = "") =>
        FormattableString.Invariant($"<div class='bar {style}'><span>{Encode(name)}</span><b>{Percent(share)}</b><i style='width:{share * 100:0.#}%'></i></div>");

    public static string Pairs(string title, IEnumerable<(string Name, string Value)> pairs) =>
        $"<div><h3>{Encode(title)}</h3><table>{string.Concat(pairs.Select(pair => $"<tr><td>{Encode(pair.Name)}</td><td class='number'>{Encode(pair.Value)}</td></tr>"))}</table></div>";

    public static string Duration(TimeSpan time) => time switch
    {
        { TotalHours: >= 1 } => $"{(int)time.TotalHours} h {time.Minutes} min",
        { TotalMinutes: >= 1 } => $"{(int)time.TotalMinutes} min {time.Seconds} s",
        _ => FormattableString.Invariant($"{time.TotalSeconds:0.0} s"),
    };

    /// <summary>A share of 0 to 1; a dash where there is none.</summary>
    public static string Percent(double share) => double.IsNaN(share) ? "–" : FormattableString.Invariant($"{share * 100:0.0} %");

    public static string Encode(string text) => WebUtility.HtmlEncode(text);
}
