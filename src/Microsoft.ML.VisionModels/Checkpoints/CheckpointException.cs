namespace Microsoft.ML.VisionModels;

/// <summary>A checkpoint file is malformed, unsafe, or does not fit the network; the message names the file and the tensors.</summary>
public sealed class CheckpointException : Exception
{
    /// <summary>Creates the exception without a message of its own.</summary>
    public CheckpointException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong, in which file, with which tensor.</param>
    public CheckpointException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong, in which file, with which tensor.</param>
    /// <param name="innerException">What the reader ran into.</param>
    public CheckpointException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
