using Microsoft.ML.VisionModels.Layers;

namespace Samples;

/// <summary>What the model says of one image.</summary>
public sealed class ModelOutput
{
    /// <summary>The most probable class.</summary>
    public string Prediction { get; set; } = "";

    /// <summary>The probability of each class, in the order of the model's labels.</summary>
    public float[] Score { get; set; } = [];

    /// <summary>Where the answer comes from: a map over the image, row by row, whose largest value is 1.</summary>
    public float[] Attention { get; set; } = [];
}
