using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>Rows of floats in one piece of memory, each filled up with zeros to whole vectors, so that loops over a row have no rest.</summary>
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

    /// <summary>How many rows there is room for: at least as many as were asked for, in whole tiles.</summary>
    public int Capacity { get; }

    /// <summary>How many rows there are.</summary>
    public int Count { get; private set; }

    /// <summary>The floats from one row to the next.</summary>
    public int Stride { get; }

    /// <summary>A row, without its filling.</summary>
    public Span<float> this[int row] => _values.AsSpan(_start + (row * Stride), _dimensions);

    /// <summary>A new row of zeros, for the caller to fill.</summary>
    public Span<float> Add() => this[Count++];

    /// <summary>The first float of a row; <see cref="Stride"/> of them can be read, and as many of each row after it.</summary>
    public ref float First(int row) => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_values), _start + (row * Stride));

    /// <summary>Where a cache line starts: reading across them takes a sixth longer. Should the collector move the array, that is all that is lost.</summary>
    private static unsafe int AlignedStart(float[] values)
    {
        const int Line = 64;
        var address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(values));
        return (int)((Line - (address % Line)) % Line) / sizeof(float);
    }

    private static int RoundUp(int value, int step) => (value + step - 1) / step * step;
}
