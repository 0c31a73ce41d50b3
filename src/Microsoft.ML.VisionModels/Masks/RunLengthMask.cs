using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Masks;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// Which pixels of an image belong to a segment, kept as COCO keeps it: the lengths of the runs of pixels outside and inside in turn,
/// down the columns from the left, the first run outside. Takes one or two bytes a run: some kilobytes for a segment of a photograph.
/// </summary>
/// <remarks>Never changes, so it can be used from many threads at once. Equal masks have equal runs.</remarks>
/// <example>
/// <code>
/// var mask = RunLengthMask.FromPixels(height: 2, width: 3, [0, 1, 1, 0, 1, 0]);
/// Console.WriteLine(mask.ToCocoJson(compressed: false));     // {"size":[2,3],"counts":[2,3,1]}
/// </code>
/// </example>
public sealed partial class RunLengthMask : IEquatable<RunLengthMask>
{
    private const int MaxPixels = 1 << 30;

    private readonly byte[] _code;      // as RunWriter writes it

    internal RunLengthMask(int height, int width, byte[] code, int area, MaskBox box) =>
        (Height, Width, _code, Area, Box) = (height, width, code, area, box);

    /// <summary>Rows of the image.</summary>
    public int Height { get; }

    /// <summary>Columns of the image.</summary>
    public int Width { get; }

    /// <summary>How many pixels are inside.</summary>
    public int Area { get; }

    /// <summary>The smallest box around the pixels inside.</summary>
    public MaskBox Box { get; }

    /// <summary>Whether no pixel is inside.</summary>
    public bool IsEmpty => Area == 0;

    /// <summary>The lengths of the runs, a new list at each call; together all pixels. Only the first can be 0.</summary>
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

    /// <summary>Makes a mask of the lengths of runs down the columns, the first outside.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="counts">The lengths, together height x width; runs of length 0 are allowed, and join those beside them.</param>
    /// <exception cref="ArgumentException">The size is not positive, or the counts are not so.</exception>
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
    /// The mask without small holes, which are filled, and then without small islands, which are dropped. Pixels that touch at an edge or
    /// a corner belong together. Where all islands are small, the largest stays.
    /// </summary>
    /// <param name="minArea">Holes and islands of fewer pixels are small.</param>
    public RunLengthMask WithoutSmallRegions(double minArea) => SmallRegions.Clean(this, minArea).Mask;

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

    /// <summary>Size, area and box.</summary>
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
