namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>Sorts answers into bins of confidence: Guo et al., "On Calibration of Modern Neural Networks" (arXiv 1706.04599), 2017, section 2.</summary>
internal sealed class ReliabilityTally
{
    private const int BinCount = 15;    // the paper's

    private readonly long[] _counts = new long[BinCount], _right = new long[BinCount];
    private readonly double[] _confidences = new double[BinCount];

    /// <summary>The mean over the rows of how far their bin's accuracy is from its mean confidence; NaN of no rows.</summary>
    public double ExpectedCalibrationError => Bins.Where(bin => bin.Count > 0).Sum(bin => bin.Count * Math.Abs(bin.Accuracy - bin.Confidence)) / _counts.Sum();

    public IReadOnlyList<ReliabilityBin> Bins => [.. Enumerable.Range(0, BinCount).Select(i => new ReliabilityBin(
        (double)i / BinCount, (i + 1.0) / BinCount, _counts[i], _confidences[i] / _counts[i], (double)_right[i] / _counts[i]))];

    /// <param name="confidence">The probability of the answer.</param>
    /// <param name="right">Whether the answer is right.</param>
    public void Add(float confidence, bool right)
    {
        // The paper's bins are open below and closed above. In single precision 0.8 is no more than 12/15.
        var bin = Math.Clamp((int)MathF.Ceiling(confidence * BinCount) - 1, 0, BinCount - 1);
        _counts[bin]++;
        _confidences[bin] += confidence;
        if (right)
            _right[bin]++;
    }
}
