using Microsoft.ML.VisionModels;

namespace SegmentPageSample;

/// <summary>What the page asks: the mask of what was clicked on.</summary>
/// <param name="Name">The image.</param>
/// <param name="Points">The clicks.</param>
internal sealed record Prompt(string? Name, Prompt.Click[]? Points)
{
    /// <summary>A click, in pixels of the image. A class: of a struct, JSON would not keep the default.</summary>
    public sealed record Click(float X, float Y, bool IsForeground = true)
    {
        public SamPoint ToPoint() => new(X, Y, IsForeground);
    }
}
