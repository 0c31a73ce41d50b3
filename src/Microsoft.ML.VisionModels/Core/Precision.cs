namespace Microsoft.ML.VisionModels;

/// <summary>The numbers that a network computes with: the options <c>TrainingPrecision</c> and <c>Precision</c>.</summary>
public enum Precision
{
    /// <summary>32-bit floats.</summary>
    Float32,

    /// <summary>Brain floats of 16 bits. In scoring half the memory; in training, weights and sums stay in 32 bits. About twice the speed on GPUs and on processors that multiply them fast (AMX, AMD Zen 4 and later), slower on others: measure. Scores differ in the third digit.</summary>
    BFloat16,
}
