namespace Microsoft.ML.VisionModels.Masks;

/// <summary>Reads the lengths of runs from COCO's compressed form; see <see cref="RunWriter"/>.</summary>
internal ref struct RunReader(ReadOnlySpan<byte> code)
{
    private readonly ReadOnlySpan<byte> _code = code;
    private int _position, _index, _last, _beforeLast;

    /// <summary>The next run's length; those outside the mask and those inside take turns, and the first is outside.</summary>
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
