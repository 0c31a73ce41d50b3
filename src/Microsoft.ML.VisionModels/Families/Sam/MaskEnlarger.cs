using System.Numerics.Tensors;
using Microsoft.ML.VisionModels.Masks;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>
/// From a decoded mask's logits to pixels of the image: bilinearly to the padded size, without the padding, and bilinearly to the
/// image's size (reference: facebookresearch/segment-anything, Sam.postprocess_masks).
/// </summary>
/// <remarks>
/// The second step goes down the columns, as runs do, and keeps nothing but the runs. Masks of a large image as tensors are what makes
/// other implementations take many gigabytes.
/// </remarks>
/// <param name="padded">The side of the padded image.</param>
/// <param name="resized">The image within it.</param>
/// <param name="image">The image's own size.</param>
internal sealed class MaskEnlarger(int padded, ImageSize resized, ImageSize image)
{
    private readonly (int[] First, int[] Second, float[] Weight) _columns = Samples(resized.Width, image.Width), _rows = Samples(resized.Height, image.Height);

    /// <param name="logits">[h, w], as decoded.</param>
    /// <param name="threshold">What is greater is inside.</param>
    /// <param name="offset">By how much the threshold is raised and lowered to see how much depends on it.</param>
    /// <returns>The mask, and its stability: how many pixels exceed the raised threshold for one that exceeds the lowered; not a number where none does.</returns>
    public (RunLengthMask Mask, float Stability) Enlarge(Tensor logits, float threshold = 0, float offset = 0)
    {
        var source = Resize(logits);                        // [resized width, resized height]: columns
        var writer = new RunWriter(image.Height, image.Width);
        var column = new float[resized.Height];
        var (raised, lowered) = (threshold + offset, threshold - offset);
        long above = 0, below = 0;
        for (var x = 0; x < image.Width; x++)
        {
            Lerp(source.AsSpan(_columns.First[x] * resized.Height, resized.Height), source.AsSpan(_columns.Second[x] * resized.Height, resized.Height), _columns.Weight[x], column);
            if (TensorPrimitives.Max<float>(column) <= lowered)     // most columns: nothing between their values exceeds them
            {
                writer.Add(image.Height, inside: false);
                continue;
            }
            var (start, wasInside) = (0, false);
            for (var y = 0; y < image.Height; y++)
            {
                var value = column[_rows.First[y]] * (1 - _rows.Weight[y]) + column[_rows.Second[y]] * _rows.Weight[y];
                above += value > raised ? 1 : 0;
                below += value > lowered ? 1 : 0;
                if (value > threshold != wasInside)
                {
                    writer.Add(y - start, wasInside);
                    (start, wasInside) = (y, !wasInside);
                }
            }
            writer.Add(image.Height - start, wasInside);
        }
        return (writer.ToMask(), (float)above / below);
    }

    private float[] Resize(Tensor logits)
    {
        using var scope = NewDisposeScope();
        return nn.functional.interpolate(logits.to(ScalarType.Float32).unsqueeze(0).unsqueeze(0), [padded, padded], mode: InterpolationMode.Bilinear, align_corners: false)[0, 0]
            .narrow(0, 0, resized.Height).narrow(1, 0, resized.Width)
            .t().contiguous().cpu().data<float>().ToArray();
    }

    private static void Lerp(ReadOnlySpan<float> a, ReadOnlySpan<float> b, float weight, Span<float> result)
    {
        TensorPrimitives.Multiply(a, 1 - weight, result);
        TensorPrimitives.MultiplyAdd(b, weight, result, result);
    }

    /// <summary>For each place of a resized line, the two places of the source between which it lies, and how far from the first (as libtorch's bilinear, corners not aligned).</summary>
    private static (int[] First, int[] Second, float[] Weight) Samples(int source, int target)
    {
        var (first, second, weight) = (new int[target], new int[target], new float[target]);
        var scale = (float)source / target;
        for (var i = 0; i < target; i++)
        {
            var place = Math.Max(0, scale * (i + 0.5f) - 0.5f);
            first[i] = Math.Min((int)place, source - 1);
            second[i] = Math.Min(first[i] + 1, source - 1);
            weight[i] = Math.Clamp(place - first[i], 0, 1);
        }
        return (first, second, weight);
    }
}
