using System.Text.Json;
using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// How an image becomes the input of a network, in this order: resize, center crop, rescale, normalize, pad.
/// The steps and their arithmetic are those of the Hugging Face image processors.
/// </summary>
/// <remarks>Resizing equals Pillow's bit for bit. Alpha is dropped, gray is replicated, palettes are looked up.</remarks>
public sealed record ImagePreprocessing
{
    /// <summary>The size to resize to; null keeps the image's own.</summary>
    public ImageResize? Resize { get; init; }

    /// <summary>The filter of the resize; bilinear by default.</summary>
    public ResizeFilter Filter { get; init; } = ResizeFilter.Bilinear;

    /// <summary>The window that is cut from the center after resizing, or null. Where the image is smaller, black surrounds it.</summary>
    public ImageSize? CenterCrop { get; init; }

    /// <summary>
    /// Places the crop as torchvision, timm and OpenAI's CLIP do where the margin is odd (half to even);
    /// Hugging Face's processors, the default, round down.
    /// </summary>
    public bool TorchvisionCrop { get; init; }

    /// <summary>What the bytes (0 to 255) are multiplied with; 1/255 by default.</summary>
    public double RescaleFactor { get; init; } = 1 / 255.0;

    /// <summary>Mean and standard deviation, applied after rescaling; null leaves the rescaled values.</summary>
    public ImageNormalization? Normalization { get; init; }

    /// <summary>The size that zeros are added for, right and bottom, after normalizing; null adds none.</summary>
    public ImageSize? Pad { get; init; }

    /// <summary>Rows of the result, where they do not depend on the image.</summary>
    public int? OutputHeight => FixedSize?.Height;

    /// <summary>Columns of the result, where they do not depend on the image.</summary>
    public int? OutputWidth => FixedSize?.Width;

    private ImageSize? FixedSize => Pad ?? CenterCrop ?? (Resize is ImageResize.Exact exact ? new(exact.Height, exact.Width) : null);

    /// <summary>The usual preprocessing of a classifier: everything is resized to one size, and scaled to -1 to 1.</summary>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="filter">The filter of the resize.</param>
    public static ImagePreprocessing ExactSize(int height, int width, ResizeFilter filter = ResizeFilter.Bilinear) =>
        new() { Resize = new ImageResize.Exact(height, width), Filter = filter, Normalization = ImageNormalization.Half };

    /// <summary>Reads the settings of a <c>preprocessor_config.json</c>.</summary>
    /// <param name="config">The root object of the file.</param>
    /// <exception cref="FormatException">The settings are malformed, or ask for a step that is not supported.</exception>
    public static ImagePreprocessing FromHuggingFace(JsonElement config) => PreprocessorConfig.Read(config);

    /// <summary>The settings as the text of a <c>preprocessor_config.json</c>, which <see cref="FromHuggingFace"/> reads back to an equal record.</summary>
    public string ToHuggingFace() => PreprocessorConfig.Write(this);

    /// <summary>The size after resizing, before cropping.</summary>
    internal ImageSize ResizedSize(ImageSize source) => Resize?.SizeFor(source) ?? source;

    /// <summary>The size of the result for an image of the given size.</summary>
    internal ImageSize OutputSize(ImageSize source) => FixedSize ?? ResizedSize(source);

    /// <summary>The first row (or column) of the center crop; negative where the image is smaller than the crop.</summary>
    internal int CropOffset(int length, int crop)
    {
        var margin = length - crop;
        if (!TorchvisionCrop)
            return margin >> 1; // rounds down, below zero too
        return margin >= 0 ? (int)Math.Round(margin / 2.0, MidpointRounding.ToEven) : -(-margin / 2);
    }

    /// <summary>Settings that no image can be processed with are refused here, by the name of the setting.</summary>
    internal void Validate()
    {
        var resize = Resize switch
        {
            ImageResize.Exact exact => new ImageSize(exact.Height, exact.Width),
            ImageResize.ShortestEdge edge => new(edge.Length, edge.Length),
            ImageResize.LongestEdge edge => new(edge.Length, edge.Length),
            _ => (ImageSize?)null,
        };
        foreach (var (name, size) in new[] { (nameof(Resize), resize), (nameof(CenterCrop), CenterCrop), (nameof(Pad), Pad) })
        {
            if (size is { } given && (given.Height <= 0 || given.Width <= 0))
                throw new ArgumentException($"{name} must be at least one pixel in each direction, but is {given}.");
        }
        if (!Enum.IsDefined(Filter))
            throw new ArgumentException($"{nameof(Filter)} has no value {(int)Filter}.");
        if (!double.IsFinite(RescaleFactor))
            throw new ArgumentException($"{nameof(RescaleFactor)} must be finite, but is {RescaleFactor}.");
        if (Normalization is { Std: var std } && (std.Red == 0 || std.Green == 0 || std.Blue == 0))
            throw new ArgumentException($"{nameof(Normalization)} divides by a standard deviation of 0.");
    }
}
