using System.Buffers;
using System.Buffers.Binary;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>
/// Makes a mask from runs of pixels, down the columns. The lengths of the runs are kept as COCO compresses them, in one or two bytes each:
/// a number is written in digits of five bits, the lowest first, each as a printable character. From the fourth run on, the number is the
/// difference from the run before the last one (reference: cocodataset/cocoapi, common/maskApi.c).
/// </summary>
internal sealed class RunWriter(int height, int width)
{
    public const int FirstCharacter = 48, DigitBits = 5, DigitMask = 0x1f, SignBit = 0x10, MoreFollow = 0x20;

    private readonly int _pixels = RunLengthMask.PixelsOf(height, width);
    private byte[] _code = new byte[64];
    private int _length, _runs, _last, _beforeLast;     // of what is written: the bytes, the runs, and the lengths of the last two runs
    private int _position, _pending;                    // the pixels so far; the length of the present run, which is not written yet
    private bool _inside;                               // whether the present run is inside the mask
    private int _area;
    private int _left = int.MaxValue, _top = int.MaxValue, _right = -1, _bottom = -1;

    /// <summary>How many pixels were added so far.</summary>
    public int Position => _position;

    /// <summary>Adds pixels, all inside or all outside. If the last pixels were on the same side, their run becomes longer.</summary>
    public void Add(int count, bool inside)
    {
        if (count == 0)
            return;
        if (inside != _inside)
        {
            Flush();
            _inside = inside;
        }
        if (inside)
            Include(count);
        _pending += count;
        _position += count;
    }

    /// <summary>Adds pixels up to a position, all inside or all outside.</summary>
    public void AddUntil(int position, bool inside) => Add(position - _position, inside);

    /// <summary>Adds pixels; a value other than 0 is inside.</summary>
    public void AddPixels(ReadOnlySpan<byte> pixels)
    {
        while (!pixels.IsEmpty)
        {
            Add(TakeWhile(ref pixels, pixels.IndexOfAnyExcept((byte)0)), false);
            Add(TakeWhile(ref pixels, pixels.IndexOf((byte)0)), true);
        }
    }

    /// <summary>The mask, when all its pixels were added. The writer then begins another mask of the same size.</summary>
    public RunLengthMask ToMask()
    {
        if (_position != _pixels)
            throw new InvalidOperationException($"{_position} of {_pixels} pixels were added.");
        Flush();
        var box = _area == 0 ? default : new MaskBox(_left, _top, _right, _bottom);
        var mask = new RunLengthMask(height, width, _code.AsSpan(0, _length).ToArray(), _area, box);
        (_length, _runs, _last, _beforeLast, _position, _pending, _inside, _area) = (0, 0, 0, 0, 0, 0, false, 0);
        (_left, _top, _right, _bottom) = (int.MaxValue, int.MaxValue, -1, -1);
        return mask;
    }

    private static int TakeWhile(ref ReadOnlySpan<byte> pixels, int end)
    {
        var count = end < 0 ? pixels.Length : end;
        pixels = pixels[count..];
        return count;
    }

    private void Include(int count)
    {
        _area += count;
        var (firstX, firstY) = Math.DivRem(_position, height);
        var (lastX, lastY) = firstY + count <= height ? (firstX, firstY + count - 1) : Math.DivRem(_position + count - 1, height);
        if (firstX != lastX)
            (firstY, lastY) = (0, height - 1);  // a run that goes on in another column covers the last row of one and the first row of the other
        _left = Math.Min(_left, firstX);
        _right = lastX;
        _top = Math.Min(_top, firstY);
        _bottom = Math.Max(_bottom, lastY);
    }

    private void Flush()
    {
        Write(_pending);
        _pending = 0;
    }

    private void Write(int count)
    {
        if (_length + 8 > _code.Length)
            Array.Resize(ref _code, 2 * _code.Length);
        long value = count - (_runs++ > 2 ? (long)_beforeLast : 0);
        (_beforeLast, _last) = (_last, count);
        for (var more = true; more;)
        {
            var digit = (int)(value & DigitMask);
            value >>= DigitBits;
            more = value != ((digit & SignBit) != 0 ? -1 : 0);
            _code[_length++] = (byte)(FirstCharacter + (more ? digit | MoreFollow : digit));
        }
    }
}

/// <summary>Reads the lengths of runs from COCO's compressed form; see <see cref="RunWriter"/>.</summary>
internal ref struct RunReader(ReadOnlySpan<byte> code)
{
    private readonly ReadOnlySpan<byte> _code = code;
    private int _position, _index, _last, _beforeLast;

    /// <summary>Reads the length of the next run. Runs outside and inside the mask alternate, and the first is outside.</summary>
    /// <exception cref="FormatException">The code is damaged.</exception>
    public bool TryRead(out int count)
    {
        count = 0;
        if (_position == _code.Length)
            return false;

        long value = 0;
        for (var shift = 0; ; shift += RunWriter.DigitBits)
        {
            if (_position == _code.Length)
                throw new FormatException("the last number is cut off");
            var digit = _code[_position++] - RunWriter.FirstCharacter;
            if (digit is < 0 or > 63 || shift > 30)
                throw new FormatException($"character {_position - 1} cannot stand there");
            value |= (long)(digit & RunWriter.DigitMask) << shift;
            if ((digit & RunWriter.MoreFollow) != 0)
                continue;
            if ((digit & RunWriter.SignBit) != 0)
                value |= -1L << (shift + RunWriter.DigitBits);
            break;
        }
        value += _index++ > 2 ? _beforeLast : 0;
        if (value is < 0 or > int.MaxValue)
            throw new FormatException($"run {_index - 1} would have {value} pixels");
        count = (int)value;
        (_beforeLast, _last) = (_last, count);
        return true;
    }
}

/// <summary>Enumerates the runs of pixels inside a mask. Each reaches from <see cref="Start"/> to before <see cref="End"/>, counted down the columns.</summary>
internal ref struct RunCursor(ReadOnlySpan<byte> code)
{
    private RunReader _reader = new(code);

    public int Start { get; private set; }

    public int End { get; private set; }

    public bool MoveNext()
    {
        if (!_reader.TryRead(out var outside) || !_reader.TryRead(out var inside))
            return false;
        Start = End + outside;
        End = Start + inside;
        return true;
    }
}

/// <summary>Transposes rows of pixels into columns, from which masks are made, in blocks of 8 x 8 pixels that fit into registers.</summary>
internal static class PixelColumns
{
    private const int Block = 8;

    /// <summary>Makes a mask from pixels, row by row; a value other than 0 is inside.</summary>
    public static RunLengthMask Read(RunWriter writer, int height, int width, ReadOnlySpan<byte> pixels)
    {
        var columns = ArrayPool<byte>.Shared.Rent(Block * height);
        for (var left = 0; left < width; left += Block)
        {
            var count = Math.Min(Block, width - left);
            Transpose(pixels[left..], width, columns, height, height, count);
            writer.AddPixels(columns.AsSpan(0, count * height));
        }
        ArrayPool<byte>.Shared.Return(columns);
        return writer.ToMask();
    }

    /// <summary>Exchanges rows and columns.</summary>
    /// <param name="source">Rows of pixels; each starts <paramref name="sourceStride"/> bytes after the one before.</param>
    /// <param name="sourceStride">At least <paramref name="columns"/>.</param>
    /// <param name="target">A row for each column of the source; each starts <paramref name="targetStride"/> bytes after the one before.</param>
    /// <param name="targetStride">At least <paramref name="rows"/>.</param>
    /// <param name="rows">The number of rows of the source.</param>
    /// <param name="columns">The number of columns of the source.</param>
    private static void Transpose(ReadOnlySpan<byte> source, int sourceStride, Span<byte> target, int targetStride, int rows, int columns)
    {
        for (var x = 0; x < columns; x += Block)
        {
            for (var y = 0; y < rows; y += Block)
            {
                var from = source[(y * sourceStride + x)..];
                var to = target[(x * targetStride + y)..];
                if (x + Block <= columns && y + Block <= rows)
                    TransposeBlock(from, sourceStride, to, targetStride);
                else
                    TransposeRest(from, sourceStride, to, targetStride, Math.Min(Block, rows - y), Math.Min(Block, columns - x));
            }
        }
    }

    private static void TransposeRest(ReadOnlySpan<byte> source, int sourceStride, Span<byte> target, int targetStride, int rows, int columns)
    {
        for (var y = 0; y < rows; y++)
        {
            for (var x = 0; x < columns; x++)
                target[x * targetStride + y] = source[y * sourceStride + x];
        }
    }

    /// <summary>Transposes a block by exchanging its quarters, then the quarters of these, then pixels (Warren, "Hacker's Delight", 7-3, here with bytes).</summary>
    private static void TransposeBlock(ReadOnlySpan<byte> source, int sourceStride, Span<byte> target, int targetStride)
    {
        Span<ulong> rows = stackalloc ulong[Block];
        for (var i = 0; i < Block; i++)
            rows[i] = BinaryPrimitives.ReadUInt64LittleEndian(source[(i * sourceStride)..]);
        for (var i = 0; i < 4; i++)
            Exchange(ref rows[i], ref rows[i + 4], 32, 0x00000000FFFFFFFF);
        for (var i = 0; i < 4; i++)
            Exchange(ref rows[i + (i & 2)], ref rows[i + (i & 2) + 2], 16, 0x0000FFFF0000FFFF);
        for (var i = 0; i < Block; i += 2)
            Exchange(ref rows[i], ref rows[i + 1], 8, 0x00FF00FF00FF00FF);
        for (var i = 0; i < Block; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(target[(i * targetStride)..], rows[i]);
    }

    /// <summary>Exchanges the bits of <paramref name="mask"/> in the lower row with those <paramref name="shift"/> bits higher in the upper row.</summary>
    private static void Exchange(ref ulong upper, ref ulong lower, int shift, ulong mask)
    {
        var difference = ((upper >> shift) ^ lower) & mask;
        lower ^= difference;
        upper ^= difference << shift;
    }
}
