namespace ZeroShotSample;

/// <summary>What CLIP says of an image.</summary>
internal sealed class Answer
{
    public string ImagePath { get; set; } = "";

    /// <summary>The name of the image's folder; empty where there is none.</summary>
    public string Label { get; set; } = "";

    /// <summary>The likeliest word.</summary>
    public string Prediction { get; set; } = "";

    /// <summary>The probability of each word.</summary>
    public float[] Score { get; set; } = [];

    /// <summary>Whether the image could be read; without it there are no probabilities.</summary>
    public bool IsRead => !float.IsNaN(Score[0]);

    public float Confidence => Score.Max();
}
