namespace Microsoft.ML.VisionModels;

/// <summary>What is done where some classes have many more rows than others.</summary>
public enum ClassBalance
{
    /// <summary>Nothing: every row counts alike.</summary>
    None,

    /// <summary>Rows of rarer classes count for more in the loss: all classes together count alike.</summary>
    Weights,

    /// <summary>Rows of rarer classes are drawn more often: an epoch has as many rows as before, with every class equally often.</summary>
    Sampling,
}
