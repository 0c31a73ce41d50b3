using System.Text.Json;
using static Microsoft.ML.VisionModels.Reports.Html;

namespace Microsoft.ML.VisionModels.Reports;

/// <summary>A dot of a map.</summary>
/// <param name="X">Its place, of any unit.</param>
/// <param name="Y">Its place, upwards, of the same unit.</param>
/// <param name="Group">What its color stands for; empty for nothing.</param>
/// <param name="Name">What it is.</param>
/// <param name="Image">A data URI; empty where there is none.</param>
internal sealed record MapDot(double X, double Y, string Group, string Name, string Image);

/// <summary>A map with images as dots, which show themselves under the pointer: one page that needs nothing but itself, or a drawing.</summary>
internal static class MapPage
{
    private const int Width = 1000, Height = 760, Margin = 16;
    private const double GoldenAngle = 137.508;     // hues far apart, however many there are

    public static string Of(string kicker, string title, string explanation, IReadOnlyList<MapDot> dots)
    {
        var groups = Groups(dots);
        var named = groups.Where(group => group.Key.Length > 0).ToArray();
        var legend = named.Length == 0 ? "" : $"<ul class='legend'>{string.Concat(named.Select(group => $"<li style='{Color(group.Value)}' data-group='{group.Value}'>{Encode(group.Key)} <small>{dots.Count(dot => dot.Group == group.Key):N0}</small></li>"))}</ul>";
        return Page(kicker, title, Sheet, $$"""
            {{Section($"{dots.Count:N0} images", explanation, $"<figure class='map'>{Draw(dots, groups)}</figure>{legend}")}}
            <figure id="shown" hidden><img alt=""><figcaption></figcaption></figure>
            <script>
            const dots = {{JsonSerializer.Serialize(dots.Select(dot => new[] { dot.Name, dot.Group, dot.Image }))}};
            {{Script}}
            </script>
            """);
    }

    /// <summary>The map alone, as an SVG file of its own.</summary>
    public static string Drawing(string title, IReadOnlyList<MapDot> dots)
    {
        var style = $"<style>svg {{ background: #fff; font: 13px sans-serif; }} {DotStyle}</style>";
        var drawing = Draw(dots, Groups(dots));
        return drawing.Insert(drawing.IndexOf('>', StringComparison.Ordinal) + 1, $"<title>{Encode(title)}</title>{style}").Replace("<svg ", "<svg xmlns='http://www.w3.org/2000/svg' ", StringComparison.Ordinal);
    }

    private static string Draw(IReadOnlyList<MapDot> dots, Dictionary<string, int> groups)
    {
        var (left, right, low, high) = (dots.Min(dot => dot.X), dots.Max(dot => dot.X), dots.Min(dot => dot.Y), dots.Max(dot => dot.Y));
        // One scale for both directions, as distances are what the map shows.
        var scale = Math.Min((Width - 2 * Margin) / Math.Max(right - left, 1e-9), (Height - 2 * Margin) / Math.Max(high - low, 1e-9));
        var svg = new Svg(Width, Height, $"a map of {dots.Count} images");
        var radius = Math.Clamp(120 / Math.Sqrt(dots.Count), 2.5, 7);
        foreach (var dot in dots)
            svg.Circle(Width / 2.0 + (dot.X - (left + right) / 2) * scale, Height / 2.0 - (dot.Y - (low + high) / 2) * scale, radius, $"dot g{groups[dot.Group]}");
        return svg.ToString().Replace("</svg>", $"<style>{string.Concat(groups.Values.Select(group => $".g{group} {{ {Color(group)} }}"))}</style></svg>", StringComparison.Ordinal);
    }

    /// <summary>The groups in the order of their names, each with its number.</summary>
    private static Dictionary<string, int> Groups(IReadOnlyList<MapDot> dots) =>
        dots.Select(dot => dot.Group).Distinct().Order(StringComparer.Ordinal).Index().ToDictionary(entry => entry.Item, entry => entry.Index);

    private static string Color(int group) => FormattableString.Invariant($"--color: hsl({(220 + group * GoldenAngle) % 360:0} 62% {(group % 2 == 0 ? 52 : 45)}%)");

    private const string DotStyle = ".dot { fill: var(--color); fill-opacity: 0.75; }";

    private const string Sheet = DotStyle + """

        .map .dot:hover, .map .dot.near { fill-opacity: 1; stroke: var(--text); stroke-width: 2; }
        .map.one .dot { fill-opacity: 0.08; }
        .map.one .dot.near { fill-opacity: 1; stroke: none; }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0; padding: 0; list-style: none; }
        .legend li { cursor: default; }
        .legend li::before { content: ""; display: inline-block; width: 10px; height: 10px; margin-right: 6px; border-radius: 50%; background: var(--color); }
        .legend small { color: var(--soft); }
        #shown { position: fixed; z-index: 1; max-width: 260px; padding: 8px; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; box-shadow: 0 6px 24px #0004; pointer-events: none; }
        #shown img { display: block; min-width: 96px; max-width: 100%; margin: 0 auto 6px; }
        #shown figcaption { font-size: 13px; overflow-wrap: anywhere; }
        """;

    // Names are set as text, never as HTML.
    private const string Script = """
        const map = document.querySelector('.map'), circles = [...map.querySelectorAll('circle')], shown = document.getElementById('shown');
        const image = shown.querySelector('img'), caption = shown.querySelector('figcaption');
        map.addEventListener('pointerover', event => {
          const dot = dots[circles.indexOf(event.target)];
          shown.hidden = !dot;
          if (!dot) return;
          image.hidden = !dot[2];
          if (dot[2]) image.src = dot[2];
          caption.textContent = dot[1] ? dot[0] + ' (' + dot[1] + ')' : dot[0];
        });
        map.addEventListener('pointermove', event => {
          shown.style.left = Math.max(0, Math.min(event.clientX + 16, innerWidth - shown.offsetWidth - 8)) + 'px';
          shown.style.top = Math.max(0, Math.min(event.clientY + 16, innerHeight - shown.offsetHeight - 8)) + 'px';
        });
        map.addEventListener('pointerleave', () => shown.hidden = true);
        for (const name of document.querySelectorAll('.legend li')) {
          const own = map.querySelectorAll('.g' + name.dataset.group);
          name.addEventListener('pointerenter', () => { map.classList.add('one'); own.forEach(dot => dot.classList.add('near')); });
          name.addEventListener('pointerleave', () => { map.classList.remove('one'); own.forEach(dot => dot.classList.remove('near')); });
        }
        """;
}
