namespace Microsoft.ML.VisionModels;

/// <summary>An image could not be opened or decoded: the file is missing, unreadable, truncated, no image, or too large.</summary>
public sealed class ImageDecodeException : Exception
{
    internal ImageDecodeException(string filePath, string reason, Exception? innerException = null)
        : this(filePath, reason, row: null, innerException)
    {
    }

    private ImageDecodeException(string filePath, string reason, long? row, Exception? innerException)
        : base((row is null ? "" : $"Row {row}: ") + $"the image '{filePath}' cannot be read: {reason}", innerException)
    {
        FilePath = filePath;
        Reason = reason;
        Row = row;
    }

    /// <summary>The file, or a name for the image where it did not come from a file.</summary>
    public string FilePath { get; }

    /// <summary>What is wrong with the image.</summary>
    public string Reason { get; }

    /// <summary>The row of the data view that the image belongs to, from 0, where it was read by one.</summary>
    public long? Row { get; }

    internal ImageDecodeException AtRow(long row) => new(FilePath, Reason, row, this);
}
