namespace Microsoft.ML.VisionModels;

/// <summary>Why a training ended.</summary>
public enum StopReason
{
    /// <summary>All epochs were done.</summary>
    Completed,

    /// <summary>The validation score no longer improved, or a sweep gave the trial up.</summary>
    EarlyStopped,

    /// <summary>The caller cancelled.</summary>
    Cancelled,
}
