using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>
/// An image at a few pixels, whole and with its edges cut: enough to tell a copy, which was resized, compressed again or cut a little, from
/// another image of the same kind.
/// </summary>
internal sealed class SmallImage
{
    private const int Side = 24, Block = 6, Blocks = Side / Block, KeptSide = 96;
    private const float Cut = 0.05f;                                            // of the width and the height
    private const double C1 = 0.01 * 255 * 0.01 * 255, C2 = 0.03 * 255 * 0.03 * 255;

    private readonly byte[][] _views;       // [Side, Side, 3], the whole image first

    private SmallImage(byte[][] views) => _views = views;

    public static SmallImage Of(RgbImage image)
    {
        // Once to a size at which the cuts cost nothing; single-threaded, as many images are read at the same time.
        var kept = PillowResize.Resize(image, KeptSide, KeptSide, ResizeFilter.Bilinear, maxThreads: 1);
        float[] offsets = [0, Cut / 2, Cut];
        return new([View(0, 0, 1), .. offsets.SelectMany(_ => offsets, (left, top) => View(left, top, 1 - Cut))]);

        byte[] View(float left, float top, float size) => PillowResize.Resize(
            kept, Side, Side, ResizeFilter.Bilinear,
            new(left * KeptSide, top * KeptSide, Math.Min(KeptSide, (left + size) * KeptSide), Math.Min(KeptSide, (top + size) * KeptSide)), maxThreads: 1).Pixels;
    }

    /// <summary>
    /// How alike two images are, at best over the cuts of either: the mean structural similarity of the quarter of their blocks that are least
    /// alike. A copy has no such blocks; another image of the same kind, on the same ground, has.
    /// </summary>
    public double Likeness(SmallImage other) => Math.Max(_views.Max(view => Likeness(view, other._views[0])), other._views.Max(view => Likeness(_views[0], view)));

    private static double Likeness(byte[] x, byte[] y)
    {
        Span<double> blocks = stackalloc double[Blocks * Blocks];
        for (var i = 0; i < blocks.Length; i++)
            blocks[i] = Similarity(x, y, i / Blocks * Block, i % Blocks * Block);
        blocks.Sort();
        var sum = 0.0;
        foreach (var block in blocks[..(blocks.Length / 4)])
            sum += block;
        return sum / (blocks.Length / 4);
    }

    /// <summary>Wang et al. 2004, equation 13, over a block.</summary>
    private static double Similarity(byte[] x, byte[] y, int top, int left)
    {
        long sumX = 0, sumY = 0, squaresX = 0, squaresY = 0, products = 0;
        for (var row = top; row < top + Block; row++)
        {
            for (var i = 3 * (row * Side + left); i < 3 * (row * Side + left + Block); i++)
            {
                sumX += x[i];
                sumY += y[i];
                squaresX += x[i] * x[i];
                squaresY += y[i] * y[i];
                products += x[i] * y[i];
            }
        }
        const double n = 3 * Block * Block;
        double meanX = sumX / n, meanY = sumY / n;
        var (varianceX, varianceY, covariance) = (squaresX / n - meanX * meanX, squaresY / n - meanY * meanY, products / n - meanX * meanY);
        return (2 * meanX * meanY + C1) * (2 * covariance + C2) / ((meanX * meanX + meanY * meanY + C1) * (varianceX + varianceY + C2));
    }
}
