using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// The mean of the images that a network was trained with, place by place, which older networks subtract from each image. Two with the
/// same numbers are equal.
/// </summary>
public sealed class MeanImage : IEquatable<MeanImage>
{
    private readonly float[] _values;

    /// <param name="height">The height in pixels.</param>
    /// <param name="width">The width in pixels; height x width may be up to a million.</param>
    /// <param name="values">The numbers [3, height, width], in the channel order of the network's input and as large as rescaled pixels are.</param>
    /// <exception cref="ArgumentException">The size is none, or there are not as many numbers, or one is not finite.</exception>
    public MeanImage(int height, int width, ReadOnlyMemory<float> values)
    {
        if (height <= 0 || width <= 0 || (long)height * width > Limits.MeanImagePixels)
            throw new ArgumentException($"A mean image has from 1 to {Limits.MeanImagePixels} pixels, not {new ImageSize(height, width)}.");
        if (values.Length != 3 * height * width)
            throw new ArgumentException($"A mean image of {new ImageSize(height, width)} has {3 * height * width} numbers, not {values.Length}.", nameof(values));
        foreach (var value in values.Span)
        {
            if (!float.IsFinite(value))
                throw new ArgumentException("The numbers of a mean image must be finite.", nameof(values));
        }
        (Height, Width, _values) = (height, width, values.ToArray());
    }

    /// <summary>The height in pixels.</summary>
    public int Height { get; }

    /// <summary>The width in pixels.</summary>
    public int Width { get; }

    /// <summary>The numbers [3, <see cref="Height"/>, <see cref="Width"/>], in the channel order of the network's input.</summary>
    public ReadOnlyMemory<float> Values => _values;       // a span would keep options that have one from JSON

    /// <inheritdoc/>
    public bool Equals(MeanImage? other) => other is not null && (Height, Width) == (other.Height, other.Width) && _values.AsSpan().SequenceEqual(other._values);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MeanImage);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Height, Width, _values[0], _values[^1]);

    /// <summary>The size.</summary>
    public override string ToString() => $"{new ImageSize(Height, Width)}";
}
