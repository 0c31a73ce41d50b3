namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>How images become the input of a network.</summary>
internal static class NetworkInput
{
    /// <param name="chosen">What the user's options say, if they do.</param>
    /// <param name="published">What the checkpoint says, if it does.</param>
    /// <param name="chosenSize">The size that the user's options say, if they do: the checkpoint's preprocessing then resizes to it.</param>
    /// <param name="size">The network's size.</param>
    /// <exception cref="ArgumentException">Images would come out in another size than the network's.</exception>
    public static ImagePreprocessing Preprocessing(ImagePreprocessing? chosen, ImagePreprocessing? published, ImageSize? chosenSize, ImageSize size)
    {
        var preprocessing = chosen ?? (published is not null && chosenSize is null ? published : Resized(published, size));
        return preprocessing.OutputHeight == size.Height && preprocessing.OutputWidth == size.Width
            ? preprocessing
            : throw new ArgumentException(
                $"The network takes images of {size}, but the preprocessing gives {preprocessing.OutputHeight?.ToString() ?? "?"} x {preprocessing.OutputWidth?.ToString() ?? "?"}. " +
                $"Set ImageSize, or let Preprocessing resize or crop to it.");
    }

    private static ImagePreprocessing Resized(ImagePreprocessing? published, ImageSize size) => published is null
        ? ImagePreprocessing.ExactSize(size.Height, size.Width)
        : published with { Resize = new ImageResize.Exact(size.Height, size.Width), CenterCrop = null, Pad = null };
}
