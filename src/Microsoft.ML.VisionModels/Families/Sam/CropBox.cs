using Microsoft.ML.VisionModels.Masks;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>
/// A part of an image that masks are looked for in, and the way back from it (reference: facebookresearch/segment-anything, utils/amg.py).
/// </summary>
/// <param name="Left">The first column.</param>
/// <param name="Top">The first row.</param>
/// <param name="Right">The column after the last.</param>
/// <param name="Bottom">The row after the last.</param>
/// <param name="Layer">0 for the whole image, 1 for quarters, and so on.</param>
internal readonly record struct CropBox(int Left, int Top, int Right, int Bottom, int Layer)
{
    public int Width => Right - Left;

    public int Height => Bottom - Top;

    public int Area => Width * Height;

    /// <summary>[x, y, width, height].</summary>
    public int[] ToXywh() => [Left, Top, Width, Height];

    /// <summary>The whole image, and for each layer i from 1 on, 2^i x 2^i parts of it that overlap, column by column.</summary>
    /// <param name="image">The image's size.</param>
    /// <param name="layers">How many layers there are beside the whole image.</param>
    /// <param name="overlapRatio">How much of the shorter side parts of the first layer share; half as much in each further layer.</param>
    public static CropBox[] Generate(ImageSize image, int layers, double overlapRatio)
    {
        List<CropBox> crops = [new(0, 0, image.Width, image.Height, 0)];
        for (var layer = 1; layer <= layers; layer++)
        {
            var perSide = 1 << layer;
            var overlap = (int)(overlapRatio * Math.Min(image.Height, image.Width) * (2.0 / perSide));
            var (width, height) = (Length(image.Width), Length(image.Height));
            for (var i = 0; i < perSide; i++)
            {
                for (var j = 0; j < perSide; j++)
                {
                    var (left, top) = ((width - overlap) * i, (height - overlap) * j);
                    if (left < image.Width && top < image.Height)      // there may be fewer pixels than crops
                        crops.Add(new(left, top, Math.Min(left + width, image.Width), Math.Min(top + height, image.Height), layer));
                }
            }

            int Length(int whole) => (int)Math.Ceiling((overlap * (perSide - 1) + whole) / (double)perSide);
        }
        return [.. crops];
    }

    /// <summary>Whether a mask's box, within the crop, comes near an edge of the crop that is not near that of the image: it was probably cut off.</summary>
    /// <param name="box">The box.</param>
    /// <param name="image">The image's size.</param>
    /// <param name="tolerance">How many pixels are near.</param>
    public bool CutsOff(MaskBox box, ImageSize image, double tolerance = 20)
    {
        var (left, top, right, bottom) = Uncrop(box);
        return IsCut(left, Left, 0) || IsCut(top, Top, 0) || IsCut(right, Right, image.Width) || IsCut(bottom, Bottom, image.Height);

        bool IsCut(int side, int crop, int image) => Math.Abs(side - crop) <= tolerance && Math.Abs(side - image) > tolerance;
    }

    /// <summary>A box within the crop, as one within the image.</summary>
    public MaskBox Uncrop(MaskBox box) => new(box.Left + Left, box.Top + Top, box.Right + Left, box.Bottom + Top);

    /// <summary>A point within the crop, as one within the image.</summary>
    public (double X, double Y) Uncrop((double X, double Y) point) => (point.X + Left, point.Y + Top);

    /// <summary>A mask of the crop, as one of the image, where what lies around the crop is outside.</summary>
    /// <exception cref="ArgumentException">The mask is not of the crop's size.</exception>
    public RunLengthMask Uncrop(RunLengthMask mask, ImageSize image)
    {
        if (mask.Height != Height || mask.Width != Width)
            throw new ArgumentException($"A mask of {mask.Height} x {mask.Width} is not one of a crop of {Height} x {Width}.", nameof(mask));
        if (mask.Height == image.Height && mask.Width == image.Width)
            return mask;

        var writer = new RunWriter(image.Height, image.Width);
        var segments = new ColumnSegments(mask);
        for (var i = 0; i < segments.Count; i++)
        {
            writer.AddUntil((segments[i].Column + Left) * image.Height + segments[i].Start + Top, inside: false);
            writer.Add(segments[i].Length, inside: true);
        }
        writer.AddUntil(image.Height * image.Width, inside: false);
        return writer.ToMask();
    }
}
