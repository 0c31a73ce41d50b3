using System.Net;
using System.Text;

namespace Microsoft.ML.VisionModels.Reports;

/// <summary>An inline SVG as it is drawn: styles are classes of the page's style sheet, texts are encoded, numbers are the same in every culture.</summary>
internal sealed class Svg
{
    private readonly StringBuilder _svg = new();

    /// <param name="width">The width.</param>
    /// <param name="height">The height.</param>
    /// <param name="label">What it shows, for those who do not see it.</param>
    /// <param name="style">Its class.</param>
    /// <param name="css">What no class can say of it.</param>
    public Svg(double width, double height, string label, string style = "", string css = "") =>
        Add($"<svg class='{style}' style='{css}' viewBox='0 0 {width:0.##} {height:0.##}' role='img' aria-label='{Encode(label)}'>");

    public void Text(double x, double y, string text, string style) => Add($"<text class='{style}' x='{x:0.##}' y='{y:0.##}'>{Encode(text)}</text>");

    /// <summary>A text that reads from the bottom to the top.</summary>
    public void UprightText(double x, double y, string text, string style) => Add($"<text class='{style}' transform='translate({x:0.##} {y:0.##}) rotate(-90)'>{Encode(text)}</text>");

    public void Line(double x1, double y1, double x2, double y2, string style, string title = "") =>
        Add($"<line class='{style}' x1='{x1:0.##}' y1='{y1:0.##}' x2='{x2:0.##}' y2='{y2:0.##}'>{Title(title)}</line>");

    public void Polyline(IEnumerable<(double X, double Y)> points, string style, string title = "", string css = "") =>
        Add($"<polyline class='{style}' style='{css}' points='{string.Join(' ', points.Select(point => FormattableString.Invariant($"{point.X:0.##},{point.Y:0.##}")))}'>{Title(title)}</polyline>");

    public void Circle(double x, double y, double radius, string style, string title = "") =>
        Add($"<circle class='{style}' cx='{x:0.##}' cy='{y:0.##}' r='{radius:0.##}'>{Title(title)}</circle>");

    public void Rectangle(double x, double y, double width, double height, string style, string title = "", double radius = 0, double opacity = 1) =>
        Add($"<rect class='{style}' x='{x:0.##}' y='{y:0.##}' width='{width:0.##}' height='{height:0.##}' rx='{radius:0.##}' fill-opacity='{opacity:0.##}'>{Title(title)}</rect>");

    public override string ToString() => _svg + "</svg>";

    /// <summary>What is shown where the pointer rests.</summary>
    private static string Title(string text) => text.Length > 0 ? $"<title>{Encode(text)}</title>" : "";

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private void Add(FormattableString text) => _svg.Append(FormattableString.Invariant(text));
}
