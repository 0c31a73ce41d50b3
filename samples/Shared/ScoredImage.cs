namespace Samples;

/// <summary>A held-out image with its true and its predicted class.</summary>
internal sealed class ScoredImage
{
    public string ImagePath { get; set; } = "";

    // Keys count from 1; 0 is a missing value.
    public uint Label { get; set; }
    public uint PredictedLabel { get; set; }
    public float[] Score { get; set; } = [];

    public int TrueClass => (int)Label - 1;
    public int PredictedClass => (int)PredictedLabel - 1;
    public bool IsRight => Label == PredictedLabel;
    public float Confidence => Score[PredictedClass];
}
