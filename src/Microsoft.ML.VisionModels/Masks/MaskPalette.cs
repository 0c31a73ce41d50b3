using SkiaSharp;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>Colors that are easy to tell apart, always the same ones: hues a golden angle apart, in turn lighter and darker.</summary>
internal static class MaskPalette
{
    private const double GoldenAngle = 137.50776405003785;

    private static readonly (float Saturation, float Value)[] s_shades = [(85, 100), (55, 100), (90, 65), (50, 75)];

    public static SKColor Color(int index)
    {
        var (saturation, value) = s_shades[index % s_shades.Length];
        return SKColor.FromHsv((float)(index * GoldenAngle % 360), saturation, value);
    }
}
