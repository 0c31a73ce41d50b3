using Microsoft.ML.VisionModels.Imaging.Augmentation;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>Which views a method wants of an image: their sizes, and what is done to them.</summary>
/// <param name="Whole">Of the image's full size.</param>
/// <param name="Local">Of a smaller size, all alike; empty where the method has none.</param>
internal sealed record SslViewMaker(IReadOnlyList<ViewSettings> Whole, IReadOnlyList<ViewSettings> Local)
{
    // On images of a few pixels, blur takes what there is to see: SimCLR leaves it out for CIFAR-10.
    private const int LeastSizeToBlur = 64;

    public static SslViewMaker Of(SslFeaturizerOptions options, ImageSize size, ImageSize patch)
    {
        var blurs = Math.Min(size.Height, size.Width) >= LeastSizeToBlur;
        var plain = new ViewSettings
        {
            Size = size,
            MinCropArea = options.MinViewArea,
            HorizontalFlip = options.HorizontalFlip,
            JitterProbability = options.ColorStrength == 0 ? 0 : 0.8,
            Brightness = Math.Min(1, 0.4 * options.ColorStrength),
            Contrast = Math.Min(1, 0.4 * options.ColorStrength),
            Saturation = Math.Min(1, 0.2 * options.ColorStrength),
            Hue = Math.Min(0.5, 0.1 * options.ColorStrength),
            GrayscaleProbability = Math.Min(1, 0.2 * options.ColorStrength),
        };
        // BYOL's two kinds of views (arXiv 2006.07733, table 6), which DINO has too.
        var (first, second) = (Blurred(plain, 1), Blurred(plain, 0.1) with { SolarizeProbability = Math.Min(1, 0.2 * options.ColorStrength) });
        switch (options.Method)
        {
            case SslMethod.SimClr:
                var simClr = Blurred(plain with { Saturation = plain.Contrast }, 0.5);
                return new([simClr, simClr], []);
            case SslMethod.Byol:
                return new([first, second], []);
            case SslMethod.Mae:
                return new([plain with { JitterProbability = 0, GrayscaleProbability = 0 }], []);
            default:
                var division = options.Dino.CropDivision;
                var local = Blurred(plain, 0.5) with { Size = LocalSize(options, size, patch), MinCropArea = 0.05, MaxCropArea = division };
                return new(
                    [first with { MinCropArea = division }, second with { MinCropArea = division }],
                    [.. Enumerable.Repeat(local, options.Dino.LocalCrops)]);
        }

        ViewSettings Blurred(ViewSettings view, double probability) => view with { BlurProbability = blurs ? probability : 0 };
    }

    /// <summary>The views of a batch.</summary>
    /// <param name="pixels">[B, 3, H, W] uint8.</param>
    /// <param name="generator">The source of random numbers.</param>
    /// <returns>[B, V, 3, H, W] and [B, L, 3, h, w] uint8.</returns>
    public (Tensor Whole, Tensor? Local) Make(Tensor pixels, Generator generator)
    {
        return (Views(Whole), Local.Count == 0 ? null : Views(Local));

        Tensor Views(IReadOnlyList<ViewSettings> kinds) => stack([.. kinds.Select(kind => ViewAugmenter.Apply(pixels, kind, generator))], 1);
    }

    private static ImageSize LocalSize(SslFeaturizerOptions options, ImageSize size, ImageSize patch)
    {
        if (options.Dino.LocalCropSize is not { } side)
            return new(Half(size.Height, patch.Height), Half(size.Width, patch.Width));
        if (side > size.Height || side > size.Width)
            throw new ArgumentException($"Dino.LocalCropSize is {side}, which is more than the images' {size}.");
        if (side % patch.Height != 0 || side % patch.Width != 0)
            throw new ArgumentException($"Dino.LocalCropSize is {side}, which patches of {patch} do not fill.");
        return side;

        static int Half(int length, int patch) => Math.Max(patch, length / 2 / patch * patch);
    }
}
