namespace Microsoft.ML.VisionModels;

/// <summary>
/// An image cannot be used: its file is missing, unreadable, truncated, no image, or too large, or the preprocessing cannot make the
/// network's input of an image of its size.
/// </summary>
public sealed class ImageDecodeException : Exception
{
    private const string Unnamed = "in memory";

    /// <summary>Of an image whose name is not known here; whoever knows it adds it with <see cref="Of"/>.</summary>
    internal ImageDecodeException(string reason) : this(Unnamed, reason)
    {
    }

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

    // The first exception has nothing that this one does not have, and would print the name again.
    internal ImageDecodeException AtRow(long row) => new(FilePath, Reason, row, InnerException);

    /// <summary>With the image's name, where it has none yet.</summary>
    internal ImageDecodeException Of(string name) => FilePath == Unnamed ? new(name, Reason, Row, InnerException) : this;
}
