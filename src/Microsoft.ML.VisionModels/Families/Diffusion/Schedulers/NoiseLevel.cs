using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>How much of image and noise there is in x = α x₀ + σ ε, where α² + σ² = 1; and so what the one is when the other is known.</summary>
internal readonly record struct NoiseLevel(float Alpha, float Sigma)
{
    /// <summary>Half the logarithm of the signal-to-noise ratio, log(α / σ).</summary>
    public float Lambda => MathF.Log(Alpha) - MathF.Log(Sigma);

    public static NoiseLevel OfAlphaCumprod(float alphaCumprod) => new(MathF.Sqrt(alphaCumprod), MathF.Sqrt(1 - alphaCumprod));

    /// <param name="sigma">The noise in relation to the image, σ / α.</param>
    public static NoiseLevel OfSigma(float sigma)
    {
        var alpha = 1 / MathF.Sqrt(sigma * sigma + 1);
        return new(alpha, sigma * alpha);
    }

    /// <summary>x₀, of what the network says of x.</summary>
    public Tensor Image(PredictionType type, Tensor output, Tensor x) => type switch
    {
        PredictionType.Noise => (x - output.Mul(Sigma)).Div(Alpha),
        PredictionType.Image => output,
        _ => x.Mul(Alpha) - output.Mul(Sigma),
    };

    /// <summary>ε, of what the network says of x.</summary>
    public Tensor Noise(PredictionType type, Tensor output, Tensor x) => type switch
    {
        PredictionType.Noise => output,
        PredictionType.Image => (x - output.Mul(Alpha)).Div(Sigma),
        _ => output.Mul(Alpha).Add(x.Mul(Sigma)),
    };

    /// <summary>x.</summary>
    public Tensor Mix(Tensor image, Tensor noise) => image.Mul(Alpha).Add(noise.Mul(Sigma));
}

/// <summary>Holds what the network says of an image within the range of images.</summary>
internal static class ImageRange
{
    public static Tensor Clip(Tensor image, double range)
    {
        using Scalar least = -range, most = range;
        return image.clamp(least, most);
    }

    /// <summary>
    /// Dynamic thresholding (arXiv 2205.11487, 2.3): values beyond a quantile of an image's own are cut there, and all are divided by it; but
    /// the quantile is at least 1, which cuts as <see cref="Clip"/> does, and at most so much.
    /// </summary>
    public static Tensor Threshold(Tensor image, double quantile, double most)
    {
        using Scalar one = 1, limit = most;
        using var share = tensor((float)quantile, device: image.device);
        var bound = image.abs().flatten(1).quantile(share, 1).clamp(one, limit).view([-1, .. Enumerable.Repeat(1L, (int)image.dim() - 1)]);    // [N, 1, 1, 1]
        return image.minimum(bound).maximum(bound.neg()) / bound;
    }
}
