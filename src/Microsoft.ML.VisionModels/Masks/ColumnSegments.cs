namespace Microsoft.ML.VisionModels.Masks;

/// <summary>
/// The runs of a mask, divided into segments of one column each, and the connected components that they form. Pixels that touch at an edge
/// or a corner are connected (8-connectivity). The work grows with the number of segments, not with that of pixels.
/// </summary>
internal sealed class ColumnSegments
{
    private readonly int _height;
    private readonly List<Segment> _segments = [];
    private readonly int[] _firstOfColumn;      // the index of each column's first segment and, at the end, the number of all
    private int[]? _components;

    /// <param name="mask">The mask.</param>
    /// <param name="inside">Whether to take the pixels inside the mask or those outside.</param>
    public ColumnSegments(RunLengthMask mask, bool inside = true)
    {
        _height = mask.Height;
        _firstOfColumn = new int[mask.Width + 1];
        var runs = mask.Runs;
        var position = 0;
        while (runs.MoveNext())
        {
            Cut(inside ? runs.Start : position, inside ? runs.End : runs.Start);
            position = runs.End;
        }
        if (!inside)
            Cut(position, mask.Height * mask.Width);

        foreach (var segment in _segments)
            _firstOfColumn[segment.Column + 1]++;
        for (var x = 0; x < mask.Width; x++)
            _firstOfColumn[x + 1] += _firstOfColumn[x];
    }

    /// <summary>Rows from <paramref name="Start"/> to before <paramref name="End"/> of a column.</summary>
    internal readonly record struct Segment(int Column, int Start, int End)
    {
        public int Length => End - Start;
    }

    public int Count => _segments.Count;

    /// <summary>The width of the image.</summary>
    public int Width => _firstOfColumn.Length - 1;

    public Segment this[int index] => _segments[index];

    /// <summary>For each segment, the index of the first segment of its component.</summary>
    public int[] Components => _components ??= Connect();

    /// <summary>The segments of a column, from the top. Columns outside the image have none.</summary>
    public Range InColumn(int x) => x < 0 || x >= Width ? default : _firstOfColumn[x].._firstOfColumn[x + 1];

    private void Cut(int start, int end)
    {
        while (start < end)
        {
            var (x, y) = Math.DivRem(start, _height);
            var length = Math.Min(end - start, _height - y);
            _segments.Add(new(x, y, y + length));
            start += length;
        }
    }

    /// <summary>Union-find over the segments of neighboring columns. The root of a component is its first segment.</summary>
    private int[] Connect()
    {
        var parents = new int[Count];
        for (var i = 0; i < parents.Length; i++)
            parents[i] = i;
        for (var x = 1; x < Width; x++)
        {
            var (left, right) = (_firstOfColumn[x - 1], _firstOfColumn[x]);
            while (left < _firstOfColumn[x] && right < _firstOfColumn[x + 1])
            {
                var (a, b) = (_segments[left], _segments[right]);
                if (a.Start <= b.End && b.Start <= a.End)   // equality means that they touch at a corner
                    Unite(parents, left, right);
                if (a.End < b.End)
                    left++;
                else
                    right++;
            }
        }
        for (var i = 0; i < parents.Length; i++)
            parents[i] = parents[parents[i]];   // a parent comes before its child, so its own root is already known
        return parents;
    }

    private static void Unite(int[] parents, int a, int b)
    {
        (a, b) = (Root(parents, a), Root(parents, b));
        parents[Math.Max(a, b)] = Math.Min(a, b);
    }

    private static int Root(int[] parents, int i)
    {
        while (parents[i] != i)
            i = parents[i] = parents[parents[i]];
        return i;
    }
}
