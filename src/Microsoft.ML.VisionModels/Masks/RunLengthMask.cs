using Microsoft.ML.VisionModels.Masks;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// The pixels of an image that belong to an object, run-length encoded (RLE) as in COCO: the image is read down its columns, from left to
/// right, and the lengths of the runs of pixels outside and inside the mask are kept in turn, beginning outside. A run takes one or two
/// bytes, the mask of an object in a photograph some kilobytes.
/// </summary>
/// <remarks>A mask never changes, so it can be used from many threads at once. Equal masks have equal runs.</remarks>
/// <example>
/// <code>
/// var mask = RunLengthMask.FromPixels(height: 2, width: 3, [0, 1, 1, 0, 1, 0]);
/// Console.WriteLine(mask.ToCocoJson(compressed: false));     // {"size":[2,3],"counts":[2,3,1]}
/// </code>
/// </example>
public sealed partial class RunLengthMask : IEquatable<RunLengthMask>
{
    // What a simplified line must keep of the mask, and the tolerance below which no corner can go: they lie on whole pixels.
    private const double LeastIoU = 0.95, LeastTolerance = 0.25;

    private const int MaxPixels = 1 << 30;

    private readonly byte[] _code;      // COCO's compressed counts, as RunWriter writes them

    internal RunLengthMask(int height, int width, byte[] code, int area, MaskBox box) =>
        (Height, Width, _code, Area, Box) = (height, width, code, area, box);

    /// <summary>The height of the image.</summary>
    public int Height { get; }

    /// <summary>The width of the image.</summary>
    public int Width { get; }

    /// <summary>How many pixels are inside.</summary>
    public int Area { get; }

    /// <summary>The smallest box around the pixels inside, COCO's bbox.</summary>
    public MaskBox Box { get; }

    /// <summary>Whether no pixel is inside.</summary>
    public bool IsEmpty => Area == 0;

    /// <summary>The lengths of the runs, in a new list at each call. Their sum is the number of pixels; only the first can be 0.</summary>
    public IReadOnlyList<int> Counts
    {
        get
        {
            List<int> counts = [];
            var reader = new RunReader(_code);
            while (reader.TryRead(out var count))
                counts.Add(count);
            return counts;
        }
    }

    /// <summary>The runs of pixels inside.</summary>
    internal RunCursor Runs => new(_code);

    /// <summary>Makes a mask from the lengths of runs down the columns, of which the first is outside.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="counts">The lengths, whose sum is height x width. Where one is 0, the runs before and after it become one run.</param>
    /// <exception cref="ArgumentException">The size is not positive, or a count is negative, or the sum is wrong.</exception>
    public static RunLengthMask FromCounts(int height, int width, ReadOnlySpan<int> counts)
    {
        var writer = new RunWriter(height, width);
        var pixels = PixelsOf(height, width);
        for (var i = 0; i < counts.Length; i++)
        {
            if (counts[i] < 0 || counts[i] > pixels - writer.Position)
                throw new ArgumentException($"Run {i} has {counts[i]} pixels; {pixels - writer.Position} of the {height} x {width} are left.", nameof(counts));
            writer.Add(counts[i], i % 2 == 1);
        }
        if (writer.Position != pixels)
            throw new ArgumentException($"The runs have {writer.Position} pixels, but the image has {height} x {width}.", nameof(counts));
        return writer.ToMask();
    }

    /// <summary>How many pixels are inside both masks.</summary>
    /// <exception cref="ArgumentException">The masks are of different sizes.</exception>
    public int IntersectionArea(RunLengthMask other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Height != Height || other.Width != Width)
            throw new ArgumentException($"A mask of {other.Height} x {other.Width} cannot be compared with one of {Height} x {Width}.", nameof(other));

        var area = 0;
        var ours = Runs;
        var theirs = other.Runs;
        var more = ours.MoveNext() && theirs.MoveNext();
        while (more)
        {
            area += Math.Max(0, Math.Min(ours.End, theirs.End) - Math.Max(ours.Start, theirs.Start));
            more = ours.End < theirs.End ? ours.MoveNext() : theirs.MoveNext();
        }
        return area;
    }

    /// <summary>Intersection over union, 0 to 1; 0 where both masks are empty.</summary>
    /// <exception cref="ArgumentException">The masks are of different sizes.</exception>
    public double IoU(RunLengthMask other)
    {
        var intersection = IntersectionArea(other);
        var union = (long)Area + other.Area - intersection;
        return union == 0 ? 0 : (double)intersection / union;
    }

    /// <summary>
    /// Fills the small holes of the mask, and then drops its small islands. Pixels that touch at an edge or a corner are connected. Where
    /// all islands are small, the largest is kept.
    /// </summary>
    /// <param name="minArea">Holes and islands with fewer pixels than this are small.</param>
    public RunLengthMask WithoutSmallRegions(double minArea) => SmallRegions.Clean(this, minArea).Mask;

    /// <summary>The lines around the mask's parts and holes; pixels that touch at an edge or a corner belong to one part.</summary>
    /// <param name="tolerance">
    /// By how many pixels a simplified line may differ at most (Douglas and Peucker, 1973). 0, the default, keeps every corner, so that
    /// <see cref="FromPolygons"/> gives the same mask again. Thin and noisy masks would come out as others: where the polygons' IoU with
    /// the mask is less than 0.95, or a part would have fewer than 3 corners, the tolerance is halved.
    /// </param>
    /// <returns>The parts from left to right; none where the mask is empty.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The tolerance is negative or not finite.</exception>
    public IReadOnlyList<MaskPolygon> ToPolygons(double tolerance = 0)
    {
        if (!double.IsFinite(tolerance) || tolerance < 0)
            throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "The tolerance is a number of pixels from 0 on.");
        var polygons = ContourTracer.Trace(new ColumnSegments(this));
        for (; tolerance >= LeastTolerance; tolerance /= 2)
        {
            MaskPolygon[] simplified = [.. polygons.Select(polygon => polygon.Simplify(tolerance))];
            if (Area == 0 || FromPolygons(Height, Width, simplified).IoU(this) >= LeastIoU)
                return simplified;
        }
        return polygons;
    }

    /// <summary>Makes a mask of the pixels whose center lies in one of the polygons and not in its holes (the even-odd rule).</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="polygons">The polygons; their parts outside the image are cut off.</param>
    /// <exception cref="ArgumentException">The size is not positive.</exception>
    public static RunLengthMask FromPolygons(int height, int width, IEnumerable<MaskPolygon> polygons)
    {
        ArgumentNullException.ThrowIfNull(polygons);
        return PolygonRasterizer.Rasterize(new ImageSize(height, width), polygons);
    }

    /// <summary>Whether both are masks of the same size with the same pixels inside.</summary>
    public bool Equals(RunLengthMask? other) =>
        other is not null && other.Height == Height && other.Width == Width && other.Area == Area && other._code.AsSpan().SequenceEqual(_code);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RunLengthMask);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Height);
        hash.AddBytes(_code);
        return hash.ToHashCode();
    }

    /// <summary>The size, the area and the box as text.</summary>
    public override string ToString() => $"{Height} x {Width}, {Area} pixels in {Box}";

    internal static int PixelsOf(int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if ((long)height * width > MaxPixels)
            throw new ArgumentException($"A mask cannot have {height} x {width} pixels: {MaxPixels} are the most.");
        return height * width;
    }
}

/// <summary>The smallest box around a mask, in pixels. Its last column and row are inside; an empty mask has a box of zeros.</summary>
/// <param name="Left">The first column.</param>
/// <param name="Top">The first row.</param>
/// <param name="Right">The last column.</param>
/// <param name="Bottom">The last row.</param>
public readonly record struct MaskBox(int Left, int Top, int Right, int Bottom)
{
    /// <summary>
    /// [x, y, width, height] as in Segment Anything's records, whose width is <see cref="Right"/> - <see cref="Left"/>, one less than the
    /// number of columns. COCO's bbox has the number of columns, see <see cref="CocoDataset"/>.
    /// </summary>
    public int[] ToXywh() => [Left, Top, Right - Left, Bottom - Top];

    /// <summary>The box of which <see cref="ToXywh"/> gives these numbers.</summary>
    public static MaskBox FromXywh(int x, int y, int width, int height) => new(x, y, x + width, y + height);

    /// <summary>The four numbers as text.</summary>
    public override string ToString() => $"{Left}, {Top}, {Right}, {Bottom}";
}
