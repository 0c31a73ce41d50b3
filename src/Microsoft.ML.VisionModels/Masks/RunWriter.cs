namespace Microsoft.ML.VisionModels.Masks;

/// <summary>
/// Makes a mask of runs of pixels, given down the columns. Their lengths are kept as COCO compresses them, in one or two bytes each:
/// from the fourth run on, what is written is the difference from the run before the last, in digits of five bits, the lowest first,
/// each a printable character (reference: cocodataset/cocoapi, common/maskApi.c).
/// </summary>
internal sealed class RunWriter(int height, int width)
{
    public const int FirstCharacter = 48, DigitBits = 5, DigitMask = 0x1f, SignBit = 0x10, MoreFollow = 0x20;

    private readonly int _pixels = RunLengthMask.PixelsOf(height, width);
    private byte[] _code = new byte[64];
    private int _length, _runs, _last, _beforeLast;     // what is written
    private int _position, _pending;                    // of the pixels; the length of the run that is not written yet
    private bool _inside;                               // whether that run is
    private int _area;
    private int _left = int.MaxValue, _top = int.MaxValue, _right = -1, _bottom = -1;

    /// <summary>How many pixels there are so far.</summary>
    public int Position => _position;

    /// <summary>Adds pixels; those that are like the last prolong its run.</summary>
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

    /// <summary>Adds pixels up to a place, all alike.</summary>
    public void AddUntil(int position, bool inside) => Add(position - _position, inside);

    /// <summary>Adds pixels, of which those are inside that are not 0.</summary>
    public void AddPixels(ReadOnlySpan<byte> pixels)
    {
        while (!pixels.IsEmpty)
        {
            Add(TakeWhile(ref pixels, pixels.IndexOfAnyExcept((byte)0)), false);
            Add(TakeWhile(ref pixels, pixels.IndexOf((byte)0)), true);
        }
    }

    /// <summary>The mask, once all pixels are there; the writer then begins another of the same size.</summary>
    public RunLengthMask ToMask()
    {
        if (_position != _pixels)
            throw new InvalidOperationException($"{_position} of {_pixels} pixels are there.");
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
            (firstY, lastY) = (0, height - 1);  // one that goes on in the next column has the last row and the first
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
