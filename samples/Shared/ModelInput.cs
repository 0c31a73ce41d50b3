namespace Samples;

/// <summary>One image, as the model takes it.</summary>
public sealed class ModelInput
{
    /// <summary>The image's file, of any size and any format that decodes.</summary>
    public string ImagePath { get; set; } = "";

    /// <summary>Its class; empty for an image that is to be classified.</summary>
    public string Label { get; set; } = "";
}
