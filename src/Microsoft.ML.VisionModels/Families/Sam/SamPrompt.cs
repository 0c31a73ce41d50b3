namespace Microsoft.ML.VisionModels;

/// <summary>What is meant in an image: points, a box, a rough mask, or several of these together.</summary>
public sealed record SamPrompt
{
    /// <summary>Points that belong to what is meant, or to what is not.</summary>
    public IReadOnlyList<SamPoint> Points { get; init; } = [];

    /// <summary>A box around what is meant.</summary>
    public SamBox? Box { get; init; }

    /// <summary>A rough mask of what is meant, of the image's size.</summary>
    public RunLengthMask? Mask { get; init; }

    /// <summary>The logits of an earlier answer, <see cref="SamMask.Logits"/>, to go on from; better than its <see cref="Mask"/>.</summary>
    public float[]? Logits { get; init; }

    /// <summary>A prompt of one point.</summary>
    public static SamPrompt AtPoint(float x, float y) => new() { Points = [new(x, y)] };

    /// <summary>A prompt of one box.</summary>
    public static SamPrompt InBox(float left, float top, float right, float bottom) => new() { Box = new(left, top, right, bottom) };

    /// <summary>One point alone may mean a whole, a part, or a part of a part.</summary>
    internal bool IsAmbiguous => Points.Count == 1 && Box is null && Mask is null && Logits is null;

    /// <exception cref="ArgumentException">The prompt says nothing, or nothing that can be meant in an image of this size.</exception>
    internal void Validate(ImageSize image, int maskSize)
    {
        if (Points.Count == 0 && Box is null && Mask is null && Logits is null)
            throw new ArgumentException("The prompt is empty; it takes points, a box or a mask.");
        foreach (var (x, y, _) in Points)
        {
            if (!(x >= 0 && x <= image.Width && y >= 0 && y <= image.Height))
                throw new ArgumentException($"The point ({x}, {y}) lies outside the image, which is {image.Width} pixels wide and {image.Height} high.");
        }
        if (Box is var (left, top, right, bottom))
        {
            if (!(left < right && top < bottom))
                throw new ArgumentException($"The box ({left}, {top}, {right}, {bottom}) has no area: left, top, right and bottom are asked for, in this order.");
            if (!(right > 0 && bottom > 0 && left < image.Width && top < image.Height) || !float.IsFinite(left + top + right + bottom))
                throw new ArgumentException($"The box ({left}, {top}, {right}, {bottom}) lies outside the image, which is {image.Width} pixels wide and {image.Height} high.");
        }
        if (Mask is not null && Logits is not null)
            throw new ArgumentException("The prompt has a mask and logits; one of them is a rough mask enough.");
        if (Mask is not null && (Mask.Height != image.Height || Mask.Width != image.Width))
            throw new ArgumentException($"The prompt's mask is {Mask.Height} x {Mask.Width}, the image {image}.");
        if (Mask?.Area == 0)
            throw new ArgumentException("The prompt's mask is empty: no pixel lies inside.");
        if (Logits is not null && Logits.Length != maskSize * maskSize)
            throw new ArgumentException($"The prompt has {Logits.Length} logits; {maskSize} x {maskSize} are expected.");
        if (Logits?.All(float.IsFinite) == false)
            throw new ArgumentException("The prompt has logits that are no finite numbers.");
    }
}
