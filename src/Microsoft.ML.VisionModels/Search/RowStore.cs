namespace Microsoft.ML.VisionModels.Search;

/// <summary>Rows of floats that grow without being copied and exceed what one array can hold: blocks of so many rows each.</summary>
internal sealed class RowStore(int dimensions, int rowsPerBlock = RowStore.UsualBlock)
{
    // Half a megabyte of embeddings of 512: what one thread takes at a time, and what an index of one vector costs.
    private const int UsualBlock = 256;

    private readonly List<RowBlock> _blocks = [];

    public int Dimensions => dimensions;

    public int RowsPerBlock => rowsPerBlock;

    public int Count { get; private set; }

    /// <summary>All full but for the last.</summary>
    public IReadOnlyList<RowBlock> Blocks => _blocks;

    public Span<float> this[int row] => _blocks[row / rowsPerBlock][row % rowsPerBlock];

    /// <summary>A new row of zeros, for the caller to fill.</summary>
    public Span<float> Add()
    {
        if (Count == _blocks.Count * rowsPerBlock)
            _blocks.Add(new RowBlock(rowsPerBlock, dimensions));
        Count = checked(Count + 1);
        return _blocks[^1].Add();
    }

    /// <summary>Adds a vector, scaled to the length 1.</summary>
    /// <param name="vector">Any vector that has a direction.</param>
    /// <param name="name">What the caller calls it.</param>
    /// <exception cref="ArgumentException">It has another number of values, values that are not finite, or no direction; nothing is added.</exception>
    public void AddUnit(ReadOnlySpan<float> vector, string name)
    {
        if (vector.Length != dimensions)
            throw new ArgumentException($"The vector has {vector.Length} values; the index has {dimensions} dimensions.", name);
        var length = Math.Sqrt(SquaredLength(vector));
        if (!double.IsFinite(length))
            throw new ArgumentException("The vector holds values that are NaN or infinite.", name);
        if (length == 0)
            throw new ArgumentException("The vector is all zeros, which have no direction.", name);

        var row = Add();
        for (var i = 0; i < row.Length; i++)
            row[i] = (float)(vector[i] / length);
    }

    /// <summary>In double precision, where no float's square is too large or too small.</summary>
    public static double SquaredLength(ReadOnlySpan<float> vector)
    {
        double sum = 0;
        foreach (var value in vector)
            sum += (double)value * value;
        return sum;
    }
}
