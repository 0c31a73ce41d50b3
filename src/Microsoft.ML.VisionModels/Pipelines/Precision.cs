namespace Microsoft.ML.VisionModels;

/// <summary>The numbers that a network is scored with.</summary>
public enum Precision
{
    /// <summary>32-bit floats, as trained.</summary>
    Float32,

    /// <summary>Brain floats of 16 bits: half the memory, and about twice the speed where their instructions are fast (AMD since Zen 4, Intel with AMX, recent GPUs); elsewhere they are slower. Scores differ in the third digit.</summary>
    BFloat16,
}
