using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Masks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <content>Masks from pixels, tensors and logits, and back.</content>
public sealed partial class RunLengthMask
{
    /// <summary>Makes a mask from pixels.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="pixels">height x width values, row by row; a value other than 0 is inside.</param>
    /// <exception cref="ArgumentException">The size is not positive, or there are not as many pixels.</exception>
    public static RunLengthMask FromPixels(int height, int width, ReadOnlySpan<byte> pixels)
    {
        if (pixels.Length != PixelsOf(height, width))
            throw new ArgumentException($"A mask of {height} x {width} has {PixelsOf(height, width)} pixels, not {pixels.Length}.", nameof(pixels));
        return PixelColumns.Read(new RunWriter(height, width), height, width, pixels);
    }

    /// <summary>Makes a mask from pixels.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="pixels">height x width values, row by row: whether a pixel is inside.</param>
    /// <exception cref="ArgumentException">The size is not positive, or there are not as many pixels.</exception>
    public static RunLengthMask FromPixels(int height, int width, ReadOnlySpan<bool> pixels) =>
        FromPixels(height, width, MemoryMarshal.AsBytes(pixels));

    /// <summary>Makes a mask from a tensor.</summary>
    /// <param name="mask">[H, W] of any type and on any device; a value other than 0 is inside.</param>
    /// <exception cref="ArgumentException">The tensor does not have two dimensions, or is empty.</exception>
    public static RunLengthMask FromTensor(Tensor mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        if (mask.dim() != 2)
            throw new ArgumentException($"A mask's tensor is [H, W], but this has {mask.dim()} dimensions.", nameof(mask));
        return FromTensors(mask.unsqueeze(0))[0];
    }

    /// <summary>Makes masks from a tensor.</summary>
    /// <param name="masks">[N, H, W] of any type and on any device; a value other than 0 is inside.</param>
    /// <exception cref="ArgumentException">The tensor does not have three dimensions, or its masks have no pixels.</exception>
    public static RunLengthMask[] FromTensors(Tensor masks) => FromTensors(masks, mask => mask.to(ScalarType.Bool));

    /// <summary>Makes masks from logits. The masks are thresholded one by one, which takes little memory beside the logits.</summary>
    /// <param name="logits">[N, H, W], on any device.</param>
    /// <param name="threshold">Logits above this are inside. Default 0.</param>
    /// <exception cref="ArgumentException">The tensor does not have three dimensions, or its masks have no pixels.</exception>
    public static RunLengthMask[] FromLogits(Tensor logits, double threshold = 0)
    {
        using Scalar bound = threshold;     // kept alive, see TensorArithmetic
        return FromTensors(logits, mask => mask.gt(bound));
    }

    /// <summary>The pixels, row by row: 1 inside, 0 outside.</summary>
    public byte[] ToPixels()
    {
        var pixels = new byte[Height * Width];
        Fill(pixels, (byte)1);
        return pixels;
    }

    /// <summary>The pixels as a tensor [H, W] of Booleans.</summary>
    public Tensor ToTensor()
    {
        using var scope = NewDisposeScope();
        return tensor(ToPixels(), [Height, Width]).to(ScalarType.Bool).MoveToOuterDisposeScope();
    }

    /// <summary>The mask as an image, white inside and black outside. The caller disposes of it.</summary>
    public MLImage ToMLImage() => ImageDecoder.ToMLImage(Width, Height, pixels =>
    {
        pixels.Fill(ImageDecoder.Opaque);
        Fill(pixels, uint.MaxValue);
    });

    /// <summary>Writes a value to the pixels inside the mask and keeps those outside.</summary>
    /// <param name="pixels">The pixels of an image, row by row.</param>
    /// <param name="value">The value.</param>
    internal void Fill<T>(Span<T> pixels, T value)
    {
        var runs = Runs;
        while (runs.MoveNext())
        {
            var (x, y) = Math.DivRem(runs.Start, Height);
            var target = y * Width + x;
            for (var left = runs.End - runs.Start; left > 0; left--)
            {
                pixels[target] = value;
                target += Width;
                if (target >= pixels.Length)
                    target += 1 - pixels.Length;    // on to the top of the next column
            }
        }
    }

    private static RunLengthMask[] FromTensors(Tensor masks, Func<Tensor, Tensor> isInside)
    {
        ArgumentNullException.ThrowIfNull(masks);
        if (masks.dim() != 3)
            throw new ArgumentException($"Masks are a tensor [N, H, W], but this has {masks.dim()} dimensions.", nameof(masks));

        var (count, height, width) = ((int)masks.shape[0], (int)masks.shape[1], (int)masks.shape[2]);
        var writer = new RunWriter(height, width);
        var results = new RunLengthMask[count];
        for (var i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            var pixels = isInside(masks[i]).cpu().contiguous();
            results[i] = PixelColumns.Read(writer, height, width, pixels.bytes);
        }
        return results;
    }
}
