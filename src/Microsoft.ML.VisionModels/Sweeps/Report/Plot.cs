using System.Net;
using System.Text;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Sweeps.Report;

/// <summary>A plot with two axes, as inline SVG.</summary>
internal sealed class Plot
{
    private const int Left = 56, Right = 14, Top = 12, Bottom = 40;
    private readonly Axis _x, _y;
    private readonly int _width, _height;
    private readonly StringBuilder _svg;

    public Plot(Axis x, Axis y, int width = 560, int height = 300)
    {
        (_x, _y, _width, _height) = (x, y, width, height);
        _svg = new($"<svg viewBox='0 0 {width} {height}' role='img' aria-label='{WebUtility.HtmlEncode($"{y.Name} over {x.Name}")}'>");
        foreach (var (place, text) in y.Ticks)
        {
            Add($"<line class='grid' x1='{Left}' x2='{width - Right}' y1='{Y(place):0.#}' y2='{Y(place):0.#}'/>");
            Add($"<text class='end' x='{Left - 6}' y='{Y(place) + 4:0.#}'>{WebUtility.HtmlEncode(text)}</text>");
        }
        foreach (var (place, text) in x.Ticks)
            Add($"<text class='middle' x='{X(place):0.#}' y='{height - Bottom + 17}'>{WebUtility.HtmlEncode(text)}</text>");
        Add($"<text class='middle name' x='{(Left + width - Right) / 2.0:0.#}' y='{height - 5}'>{WebUtility.HtmlEncode(x.Name)}</text>");
    }

    public void Line(IEnumerable<(double X, double Y)> points, string style, string title) =>
        Add($"<polyline class='{style}' points='{string.Join(' ', points.Select(p => FormattableString.Invariant($"{X(p.X):0.#},{Y(p.Y):0.#}")))}'><title>{WebUtility.HtmlEncode(title)}</title></polyline>");

    public void Point(double x, double y, string style, string title) =>
        Add($"<circle class='{style}' cx='{X(x):0.#}' cy='{Y(y):0.#}' r='4'><title>{WebUtility.HtmlEncode(title)}</title></circle>");

    public override string ToString() => _svg + "</svg>";

    private double X(double place) => Left + _x.Share(place) * (_width - Left - Right);

    private double Y(double place) => _height - Bottom - _y.Share(place) * (_height - Top - Bottom);

    private void Add(FormattableString text) => _svg.Append(FormattableString.Invariant(text));
}
