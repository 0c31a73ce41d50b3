namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>The horizontal pass: one row of RGB pixels to a row of another width.</summary>
internal sealed class RowResampler(ResizeCoefficients coefficients)
{
    public void Resample(ReadOnlySpan<byte> source, Span<byte> target) => ResampleScalar(source, target);

    internal void ResampleScalar(ReadOnlySpan<byte> source, Span<byte> target)
    {
        for (var x = 0; x < coefficients.Length; x++)
        {
            var pixels = source[(3 * coefficients.First[x])..];
            const int Half = 1 << (ResizeCoefficients.FractionBits - 1);
            var (red, green, blue) = (Half, Half, Half);
            var tap = 0;
            foreach (var weight in coefficients.WeightsOf(x))
            {
                var pixel = pixels.Slice(tap, 3);
                red += pixel[0] * weight;
                green += pixel[1] * weight;
                blue += pixel[2] * weight;
                tap += 3;
            }
            target[3 * x] = ColumnResampler.ToByte(red);
            target[3 * x + 1] = ColumnResampler.ToByte(green);
            target[3 * x + 2] = ColumnResampler.ToByte(blue);
        }
    }
}
