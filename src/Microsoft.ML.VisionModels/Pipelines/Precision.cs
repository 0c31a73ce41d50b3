namespace Microsoft.ML.VisionModels;

/// <summary>The numbers that a network is scored with.</summary>
public enum Precision
{
    /// <summary>32-bit floats, as trained.</summary>
    Float32,

    /// <summary>Brain floats of 16 bits: half the memory, and about twice the speed on processors that have them (AVX512-BF16, AMX, recent GPUs). Scores differ in the third digit.</summary>
    BFloat16,
}
