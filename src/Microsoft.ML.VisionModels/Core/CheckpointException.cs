namespace Microsoft.ML.VisionModels;

/// <summary>A checkpoint file is malformed, unsafe, or does not fit the network; the message names the file and the tensors.</summary>
public sealed class CheckpointException : Exception
{
    private const int MaxLength = 4000;

    /// <summary>Creates the exception without a message of its own.</summary>
    public CheckpointException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong, in which file, with which tensor.</param>
    public CheckpointException(string message)
        : base(Shorten(message))
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong, in which file, with which tensor.</param>
    /// <param name="innerException">What the reader ran into.</param>
    public CheckpointException(string message, Exception innerException)
        : base(Shorten(message), innerException)
    {
    }

    // The names in a message come from the file; a hostile file could fill the log with them.
    private static string Shorten(string message) => message.Length <= MaxLength ? message : string.Concat(message.AsSpan(0, MaxLength), " ...");
}
