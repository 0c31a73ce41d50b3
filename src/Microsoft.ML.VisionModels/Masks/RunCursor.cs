namespace Microsoft.ML.VisionModels.Masks;

/// <summary>Goes over the runs of pixels inside a mask: each from <see cref="Start"/> to before <see cref="End"/>, counted down the columns.</summary>
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
