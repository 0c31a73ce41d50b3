namespace Microsoft.ML.VisionModels.Reports;

/// <summary>A plot with two axes, as inline SVG. What is drawn into it stands at places on the axes.</summary>
internal sealed class Plot
{
    private const int Left = 56, Right = 20, Top = 12, Bottom = 40;
    private readonly Axis _x, _y;
    private readonly int _width, _height;
    private readonly Svg _svg;

    public Plot(Axis x, Axis y, int width = 560, int height = 300)
    {
        (_x, _y, _width, _height) = (x, y, width, height);
        _svg = new(width, height, $"{y.Name} over {x.Name}");
        foreach (var (place, text) in y.Ticks)
        {
            _svg.Line(Left, Y(place), width - Right, Y(place), "grid");
            _svg.Text(Left - 6, Y(place) + 4, text, "end");
        }
        foreach (var (place, text) in x.Ticks)
            _svg.Text(X(place), height - Bottom + 17, text, "middle");
        _svg.Text((Left + width - Right) / 2.0, height - 5, x.Name, "middle name");
    }

    public void Line(IEnumerable<(double X, double Y)> points, string style, string title = "") =>
        _svg.Polyline(points.Select(point => (X(point.X), Y(point.Y))), style, title);

    public void Point(double x, double y, string style, string title) => _svg.Circle(X(x), Y(y), 4, style, title);

    /// <summary>A bar between two places on each axis.</summary>
    public void Bar(double left, double right, double bottom, double top, string style, string title) =>
        _svg.Rectangle(X(left) + 1, Y(top), X(right) - X(left) - 2, Y(bottom) - Y(top), style, title);

    /// <summary>A line through the whole height at a place that matters.</summary>
    public void Mark(double x, string title) => _svg.Line(X(x), Top, X(x), _height - Bottom, "mark", title);

    public override string ToString() => _svg.ToString();

    private double X(double place) => Left + _x.Share(place) * (_width - Left - Right);

    private double Y(double place) => _height - Bottom - _y.Share(place) * (_height - Top - Bottom);
}
