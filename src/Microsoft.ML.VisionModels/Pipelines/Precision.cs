namespace Microsoft.ML.VisionModels;

/// <summary>The numbers that a network is scored with.</summary>
public enum Precision
{
    /// <summary>32-bit floats, as trained.</summary>
    Float32,

    /// <summary>Brain floats of 16 bits: half the memory. About twice the speed on GPUs and on processors that multiply them fast (AMX, AMD Zen 4 and later), slower on others: measure. Scores differ in the third digit.</summary>
    BFloat16,
}
