using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>The networks of a diffusion model, as one module: so a model file, a snapshot and an average of weights hold all of them.</summary>
/// <remarks>Built without values.</remarks>
internal sealed class DiffusionNetwork : nn.Module, INetwork<DiffusionConfig, DiffusionNetwork>
{
    private readonly UNet unet;
    private readonly Autoencoder? vae;
    private readonly ClipTextNetwork? text_encoder;

    public DiffusionNetwork(DiffusionConfig config, Generator? generator = null) : this(config.Validate(), new(config.UNet, generator),
        config.CreateAutoencoder(),
        config.Text is { } text ? new(text, generator) : null)
    {
    }

    /// <summary>Networks that are filled already, which become this one's.</summary>
    public DiffusionNetwork(DiffusionConfig config, UNet unet, Autoencoder? autoencoder, ClipTextNetwork? text) : base(nameof(DiffusionNetwork))
    {
        (Config, this.unet, vae, text_encoder) = (config, unet, autoencoder, text);
        RegisterComponents();
    }

    public DiffusionConfig Config { get; }

    public UNet UNet => unet;

    /// <summary>Null where the U-Net makes pixels.</summary>
    public Autoencoder? Autoencoder => vae;

    public ClipTextNetwork? Text => text_encoder;

    /// <summary>Pixels a side that the U-Net sees as one place.</summary>
    public int Downscale => Autoencoder?.Downscale ?? 1;

    /// <summary>The channels of what the U-Net removes noise from.</summary>
    public int Channels => Autoencoder?.LatentChannels ?? Config.UNet.InputChannels;

    /// <summary>Whether the U-Net was trained to paint within masks: it reads them, and the image around them.</summary>
    public bool PaintsMasks => Autoencoder is not null && Config.UNet.InputChannels == 2 * Channels + 1;

    public static DiffusionNetwork Create(DiffusionConfig config, Generator? generator = null) => new(config, generator);

    /// <summary>Images as the U-Net sees them, [B, C, h, w]: latents, or pixels from -1 to 1.</summary>
    /// <param name="images">From -1 to 1, [B, 3, H, W].</param>
    /// <param name="noise">Draws for an encoder that is not sure of its latents; null takes what is likeliest.</param>
    public Tensor ToLatents(Tensor images, Func<long[], Tensor>? noise)
    {
        if (Autoencoder is not { } autoencoder)
            return images.alias();
        long[] shape = [images.shape[0], Channels, images.shape[2] / Downscale, images.shape[3] / Downscale];
        return autoencoder.ToLatents(images, autoencoder is AutoencoderKl ? noise?.Invoke(shape).to(images.dtype) : null);
    }

    /// <summary>Images, about -1 to 1, [B, 3, H, W].</summary>
    public Tensor ToImages(Tensor latents) => Autoencoder is { } autoencoder ? ToImages(autoencoder, latents) : latents.alias();

    /// <summary>The same by a copy of the autoencoder, for numbers that its own type does not have.</summary>
    public Tensor ToImagesInFloat32(Tensor latents)
    {
        using var noGradients = no_grad();
        using var copy = Config.CreateAutoencoder()!;
        copy.to(latents.device);
        foreach (var (target, source) in copy.state_dict().Values.Zip(vae!.state_dict().Values))
            target.copy_(source);
        copy.eval();
        return ToImages(copy, latents.to(ScalarType.Float32));
    }

    // One after the other, since what lies between takes much memory.
    private static Tensor ToImages(Autoencoder autoencoder, Tensor latents) => cat([.. latents.split(1).Select(autoencoder.ToImages)]);
}
