using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>The masks of an image.</summary>
internal sealed record SamMasksResult(ImageSize Size, IReadOnlyList<SamMask> Masks)
{
    /// <summary>White on black; of several masks each in its color.</summary>
    public MLImage Draw()
    {
        if (Masks.Count == 1)
            return Masks[0].Mask.ToMLImage();
        var overlay = new MaskOverlay(new RgbImage(Size.Width, Size.Height)) { Opacity = 1 };
        overlay.AddMasks(Masks.Select(mask => mask.Mask));
        return overlay.Draw();
    }
}
