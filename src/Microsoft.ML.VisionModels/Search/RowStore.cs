using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>A growing list of rows of floats, in blocks, so that adding copies no rows and the list can be larger than an array.</summary>
internal sealed class RowStore(int dimensions, int rowsPerBlock)
{
    // Half a megabyte for embeddings of 512 values. A thread searches one block at a time, and an index of one vector takes one block.
    private const int DefaultRowsPerBlock = 256;

    // Four megabytes, so that an index of few long vectors does not take many times what they have.
    private const int ValuesPerBlock = 1 << 20;

    private readonly List<RowBlock> _blocks = [];

    public RowStore(int dimensions)
        : this(dimensions, Math.Clamp(ValuesPerBlock / dimensions, 1, DefaultRowsPerBlock))
    {
    }

    public int Dimensions => dimensions;

    public int RowsPerBlock => rowsPerBlock;

    public int Count { get; private set; }

    /// <summary>The blocks. All but the last one are full.</summary>
    public IReadOnlyList<RowBlock> Blocks => _blocks;

    public Span<float> this[int row] => _blocks[row / rowsPerBlock][row % rowsPerBlock];

    /// <summary>Adds a row of zeros, which the caller then fills.</summary>
    public Span<float> Add()
    {
        if (Count == _blocks.Count * rowsPerBlock)
            _blocks.Add(new RowBlock(rowsPerBlock, dimensions));
        Count = checked(Count + 1);
        return _blocks[^1].Add();
    }

    /// <summary>Adds a vector, scaled to the length 1.</summary>
    /// <param name="vector">The vector.</param>
    /// <param name="name">The name of the caller's parameter, for errors.</param>
    /// <exception cref="ArgumentException">It has another number of values, values that are not finite, or only zeros. Nothing is added.</exception>
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

    /// <summary>The squared length, in double precision, where the square of a float neither overflows nor underflows.</summary>
    public static double SquaredLength(ReadOnlySpan<float> vector)
    {
        double sum = 0;
        foreach (var value in vector)
            sum += (double)value * value;
        return sum;
    }
}

/// <summary>Rows of floats in one array. Each row is padded with zeros to a multiple of the vector size, so that loops need no code for a remainder.</summary>
internal sealed class RowBlock
{
    private readonly float[] _values;
    private readonly int _start, _dimensions;

    public RowBlock(int capacity, int dimensions)
    {
        _dimensions = dimensions;
        Stride = RoundUp(dimensions, Vector512<float>.Count);
        Capacity = RoundUp(capacity, DotProducts.Tile);
        _values = new float[(Capacity * Stride) + Vector512<float>.Count];
        _start = AlignedStart(_values);
    }

    /// <summary>The number of rows that fit: at least as many as were asked for, rounded up to whole tiles.</summary>
    public int Capacity { get; }

    /// <summary>The number of rows.</summary>
    public int Count { get; private set; }

    /// <summary>The number of floats from the start of a row to that of the next one.</summary>
    public int Stride { get; }

    /// <summary>A row, without its padding.</summary>
    public Span<float> this[int row] => _values.AsSpan(_start + (row * Stride), _dimensions);

    /// <summary>Adds a row of zeros, which the caller then fills.</summary>
    public Span<float> Add() => this[Count++];

    /// <summary>The first float of a row. <see cref="Stride"/> floats can be read from here, and as many for each row after it.</summary>
    public ref float First(int row) => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_values), _start + (row * Stride));

    /// <summary>The index at which a cache line starts, as unaligned reads take a sixth longer. If the garbage collector moves the array, only speed is lost.</summary>
    private static unsafe int AlignedStart(float[] values)
    {
        const int LineBytes = 64;
        var address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(values));
        return (int)((LineBytes - (address % LineBytes)) % LineBytes) / sizeof(float);
    }

    private static int RoundUp(int value, int step) => (value + step - 1) / step * step;
}

/// <summary>The ids of the rows, in order and without duplicates.</summary>
internal sealed class IdList
{
    private readonly List<string> _ids = [];
    private readonly Dictionary<string, int> _rows = new(StringComparer.Ordinal);

    /// <summary>UTF-8 that throws an <see cref="ArgumentException"/> for invalid text. <see cref="Encoding.UTF8"/> would replace it, and so make different ids equal.</summary>
    public static Encoding Utf8 { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public int Count => _ids.Count;

    public IReadOnlyList<string> All => _ids.AsReadOnly();

    public string this[int row] => _ids[row];

    /// <summary>The row of an id; null where there is no such id.</summary>
    public int? Find(string id) => _rows.TryGetValue(id, out var row) ? row : null;

    /// <exception cref="ArgumentException">The id cannot be added: it is empty, is not valid UTF-16 (and so could not be saved), or is in the list already.</exception>
    public void Check(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        _ = Utf8.GetByteCount(id);
        if (_rows.ContainsKey(id))
            throw new ArgumentException($"The id '{id}' is in the index already.", nameof(id));
    }

    /// <summary>Adds an id that was checked.</summary>
    public void Add(string id)
    {
        _rows.Add(id, _ids.Count);
        _ids.Add(id);
    }
}
