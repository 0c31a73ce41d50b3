using System.Text.Json;
using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// The steps that turn an image into the input of a network, in this order: resize, center crop, rescale, subtract a mean image, normalize, pad.
/// The steps and their arithmetic are those of Hugging Face's image processors.
/// </summary>
/// <remarks>
/// Resizing equals Pillow's bit for bit. Alpha is dropped, gray is replicated, palettes are looked up. Of a resized image only what the
/// center crop leaves is computed.
/// </remarks>
public sealed record ImagePreprocessing
{
    /// <summary>The size to resize to; null keeps the image's own.</summary>
    public ImageResize? Resize { get; init; }

    /// <summary>The filter of the resize; bilinear by default.</summary>
    public ResizeFilter Filter { get; init; } = ResizeFilter.Bilinear;

    /// <summary>The size of the window that is cut from the center after resizing; null for none. A smaller image gets a black border.</summary>
    public ImageSize? CenterCrop { get; init; }

    /// <summary>
    /// Whether the center crop is placed as torchvision, timm and OpenAI's CLIP place it. The two differ where the margin is odd:
    /// torchvision rounds half of it to the even number, Hugging Face's processors, the default, round it down.
    /// </summary>
    public bool TorchvisionCrop { get; init; }

    /// <summary>
    /// Whether an image becomes RGB after it was resized, as OpenAI's code for CLIP and open_clip's do it, rather than before, as Hugging
    /// Face's processors do, the default. With transparency the resize then weighs colors by their alpha, and an image that has a palette,
    /// or one bit a pixel, takes the nearest pixel whatever <see cref="Filter"/> says. Images without either are the same both ways.
    /// </summary>
    public bool ConvertAfterResize { get; init; }

    /// <summary>The factor that the bytes (0 to 255) are multiplied by; 1/255 by default.</summary>
    public double RescaleFactor { get; init; } = 1 / 255.0;

    /// <summary>Whether the network's first channel is red, the default, or blue. Not what is read: files and MLImages tell their colors.</summary>
    public ChannelOrder ChannelOrder { get; init; }

    /// <summary>
    /// The mean of the training's images, which is subtracted place by place from the rescaled values; null, the default, for none. Of the
    /// size that resizing and cropping give, in <see cref="ChannelOrder"/>; there is then no <see cref="Pad"/>.
    /// </summary>
    public MeanImage? MeanImage { get; init; }

    /// <summary>The mean and standard deviation that the rescaled values are normalized with; null for none.</summary>
    public ImageNormalization? Normalization { get; init; }

    /// <summary>The size that the image is padded to after normalizing, with zeros at its right and bottom; null for none.</summary>
    public ImageSize? Pad { get; init; }

    /// <summary>The height of the result; null where it depends on the image.</summary>
    public int? OutputHeight => FixedSize?.Height;

    /// <summary>The width of the result; null where it depends on the image.</summary>
    public int? OutputWidth => FixedSize?.Width;

    internal ImageSize? FixedSize => Pad ?? CenterCrop ?? (Resize is ImageResize.Exact exact ? new(exact.Height, exact.Width) : null);

    /// <summary>The preprocessing of many classifiers: every image is resized to one size, and its values are scaled to the range -1 to 1.</summary>
    /// <param name="height">The height of the result.</param>
    /// <param name="width">The width of the result.</param>
    /// <param name="filter">The filter of the resize.</param>
    public static ImagePreprocessing ExactSize(int height, int width, ResizeFilter filter = ResizeFilter.Bilinear) =>
        new() { Resize = new ImageResize.Exact(height, width), Filter = filter, Normalization = ImageNormalization.Half };

    /// <summary>Reads the settings of a <c>preprocessor_config.json</c>.</summary>
    /// <param name="config">The root object of the file.</param>
    /// <exception cref="FormatException">The settings are malformed, or ask for a step that is not supported.</exception>
    public static ImagePreprocessing FromHuggingFace(JsonElement config) => PreprocessorConfig.Read(config);

    /// <summary>The settings as the text of a <c>preprocessor_config.json</c>, which <see cref="FromHuggingFace"/> reads back to an equal record.</summary>
    public string ToHuggingFace() => PreprocessorConfig.Write(this);

    /// <summary>The preprocessing for a network whose input has a fixed size.</summary>
    /// <param name="chosen">The preprocessing in the user's options; null where they set none.</param>
    /// <param name="published">The preprocessing that comes with the checkpoint; null where none does.</param>
    /// <param name="chosenSize">The image size in the user's options, which the checkpoint's preprocessing then resizes to; null where they set none.</param>
    /// <param name="size">The size of the network's input.</param>
    /// <exception cref="ArgumentException">The preprocessing gives images of another size.</exception>
    internal static ImagePreprocessing ForNetwork(ImagePreprocessing? chosen, ImagePreprocessing? published, ImageSize? chosenSize, ImageSize size)
    {
        var preprocessing = chosen ?? (published is null ? ExactSize(size.Height, size.Width)
            : chosenSize is null ? published
            : published with { Resize = new ImageResize.Exact(size.Height, size.Width), CenterCrop = null, Pad = null });
        return preprocessing.FixedSize == size
            ? preprocessing
            : throw new ArgumentException(
                $"The network takes images of {size}, but the preprocessing gives {preprocessing.FixedSize?.ToString() ?? "? x ?"}. " +
                $"Set ImageSize, or let Preprocessing resize or crop to it.");
    }

    /// <summary>The size after resizing, before cropping.</summary>
    internal ImageSize ResizedSize(ImageSize source) => Resize?.SizeFor(source) ?? source;

    /// <summary>The size of the result for an image of the given size.</summary>
    internal ImageSize OutputSize(ImageSize source) => FixedSize ?? ResizedSize(source);

    /// <summary>The first row (or column) of the center crop; negative where the image is smaller than the crop.</summary>
    internal int CropOffset(int length, int crop)
    {
        var margin = length - crop;
        if (!TorchvisionCrop)
            return margin >> 1; // rounds down, also where the margin is negative
        return margin >= 0 ? (int)Math.Round(margin / 2.0, MidpointRounding.ToEven) : -(-margin / 2);
    }

    /// <summary>Throws where no image can be processed with these settings; the message names the setting.</summary>
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
        if (!Enum.IsDefined(ChannelOrder))
            throw new ArgumentException($"{nameof(ChannelOrder)} has no value {(int)ChannelOrder}.");
        if (MeanImage is { } mean && (Pad is not null || FixedSize != new ImageSize(mean.Height, mean.Width)))
            throw new ArgumentException($"{nameof(MeanImage)} is {mean}, but {(Pad is null ? $"images become {FixedSize?.ToString() ?? "? x ?"}" : $"images are padded to {Pad}")}.");
        if (!double.IsFinite(RescaleFactor))
            throw new ArgumentException($"{nameof(RescaleFactor)} must be finite, but is {RescaleFactor}.");
        if (Normalization is { } normalization && !Array.TrueForAll(
            [normalization.Mean.Red, normalization.Mean.Green, normalization.Mean.Blue, normalization.Std.Red, normalization.Std.Green, normalization.Std.Blue], float.IsFinite))
            throw new ArgumentException($"{nameof(Normalization)} must be finite, but is {normalization}.");
        if (Normalization is { Std: var std } && (std.Red == 0 || std.Green == 0 || std.Blue == 0))
            throw new ArgumentException($"{nameof(Normalization)} divides by a standard deviation of 0.");
    }
}

/// <summary>How the size of a resized image is chosen: <see cref="Exact"/>, <see cref="ShortestEdge"/> or <see cref="LongestEdge"/>.</summary>
public abstract record ImageResize
{
    private ImageResize()
    {
    }

    /// <summary>The size after resizing an image of the given size.</summary>
    internal abstract ImageSize SizeFor(ImageSize source);

    /// <summary>One size for all images; the aspect ratio is not kept.</summary>
    /// <param name="Height">The height in pixels.</param>
    /// <param name="Width">The width in pixels.</param>
    public sealed record Exact(int Height, int Width) : ImageResize
    {
        internal override ImageSize SizeFor(ImageSize source) => new(Height, Width);
    }

    /// <summary>The shorter edge gets the given length; the longer one keeps the aspect ratio, rounded down to whole pixels.</summary>
    /// <param name="Length">The length in pixels.</param>
    public sealed record ShortestEdge(int Length) : ImageResize
    {
        internal override ImageSize SizeFor(ImageSize source) => source.Width <= source.Height
            ? new(Scaled(source.Height, source.Width), Length)
            : new(Length, Scaled(source.Width, source.Height));

        private int Scaled(int longer, int shorter) => (int)Math.Min((long)Length * longer / shorter, int.MaxValue);
    }

    /// <summary>The longer edge gets the given length; the shorter one keeps the aspect ratio, rounded to the nearest pixel, at least 1.</summary>
    /// <param name="Length">The length in pixels.</param>
    public sealed record LongestEdge(int Length) : ImageResize
    {
        internal override ImageSize SizeFor(ImageSize source)
        {
            var scale = (double)Length / Math.Max(source.Height, source.Width);
            return new(Scaled(source.Height, scale), Scaled(source.Width, scale));
        }

        private static int Scaled(int length, double scale) => Math.Max(1, (int)(length * scale + 0.5));
    }
}

/// <summary>How an image is resampled, with the codes that Pillow and <c>preprocessor_config.json</c> use (<c>resample</c>).</summary>
/// <remarks>When an image is shrunk, all filters but <see cref="Nearest"/> average over the area that a new pixel covers, which avoids aliasing.</remarks>
public enum ResizeFilter
{
    /// <summary>The nearest pixel.</summary>
    Nearest = 0,

    /// <summary>A windowed sinc over three pixels to each side: the sharpest.</summary>
    Lanczos = 1,

    /// <summary>A triangle over one pixel to each side.</summary>
    Bilinear = 2,

    /// <summary>A cubic over two pixels to each side, with a = -0.5.</summary>
    Bicubic = 3,

    /// <summary>The mean over the area.</summary>
    Box = 4,

    /// <summary>A Hamming-windowed sinc over one pixel to each side.</summary>
    Hamming = 5,
}

/// <summary>The order of colors in a network's input.</summary>
public enum ChannelOrder
{
    /// <summary>Red, green, blue.</summary>
    Rgb,

    /// <summary>Blue, green, red, as networks have it whose training read images by OpenCV.</summary>
    Bgr,
}

/// <summary>The normalization of the rescaled values: (x - mean) / std.</summary>
/// <param name="Mean">The mean of each channel, in rescaled values.</param>
/// <param name="Std">The standard deviation of each channel, in rescaled values.</param>
public sealed record ImageNormalization((float Red, float Green, float Blue) Mean, (float Red, float Green, float Blue) Std)
{
    /// <summary>Mean and standard deviation 0.5, which gives values from -1 to 1, as ViT's and SigLIP's checkpoints expect.</summary>
    public static ImageNormalization Half { get; } = new((0.5f, 0.5f, 0.5f), (0.5f, 0.5f, 0.5f));

    /// <summary>The statistics of ImageNet, as DeiT's, Swin's, DINO's and SAM's checkpoints expect.</summary>
    public static ImageNormalization ImageNet { get; } = new((0.485f, 0.456f, 0.406f), (0.229f, 0.224f, 0.225f));

    /// <summary>The statistics of CLIP's training data, as CLIP's and BLIP's checkpoints expect.</summary>
    public static ImageNormalization Clip { get; } =
        new((0.48145466f, 0.4578275f, 0.40821073f), (0.26862954f, 0.26130258f, 0.27577711f));
}
