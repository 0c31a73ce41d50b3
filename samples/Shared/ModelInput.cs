namespace Samples;

/// <summary>One picture, as the model takes it.</summary>
public sealed class ModelInput
{
    /// <summary>The picture's file, of any size and any format that decodes.</summary>
    public string ImagePath { get; set; } = "";

    /// <summary>Its class; empty for a picture that is to be classified.</summary>
    public string Label { get; set; } = "";
}
