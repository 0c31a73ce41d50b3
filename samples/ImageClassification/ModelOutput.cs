namespace ImageClassification;

/// <summary>What the model says of one picture.</summary>
public sealed class ModelOutput
{
    /// <summary>The most probable class.</summary>
    public string Prediction { get; set; } = "";

    /// <summary>The probability of each class, in the order of the model's labels.</summary>
    public float[] Score { get; set; } = [];

    /// <summary>How much the class token attends to each patch, row by row over a square grid.</summary>
    public float[] Attention { get; set; } = [];
}
