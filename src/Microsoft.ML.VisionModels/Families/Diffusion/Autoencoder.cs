using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>What turns images into latents, and latents into images.</summary>
internal abstract class Autoencoder(string name) : nn.Module(name)
{
    public abstract int LatentChannels { get; }

    /// <summary>How many pixels a side a place of the latents stands for.</summary>
    public abstract int Downscale { get; }

    /// <summary>Latents as the U-Net reads them, [B, latent, H / scale, W / scale].</summary>
    /// <param name="images">From -1 to 1, [B, C, H, W].</param>
    /// <param name="noise">Normal noise of the latents' shape, by which an encoder that is not sure draws; null for what is likeliest.</param>
    /// <param name="tile">The side in pixels of <see cref="AutoencoderTiles"/>; null for none.</param>
    public abstract Tensor ToLatents(Tensor images, Tensor? noise = null, int? tile = null);

    /// <summary>Images, about -1 to 1 and not cut there, [B, C, scale H, scale W].</summary>
    /// <param name="latents">As the U-Net writes them, [B, latent, H, W].</param>
    /// <param name="tile">The side in pixels of <see cref="AutoencoderTiles"/>; null for none.</param>
    public abstract Tensor ToImages(Tensor latents, int? tile = null);
}
