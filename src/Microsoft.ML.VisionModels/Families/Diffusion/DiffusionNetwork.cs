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
    private readonly ClipTextNetwork? text_encoder, text_encoder_2;

    public DiffusionNetwork(DiffusionConfig config, Generator? generator = null) : this(config.Validate(), new(config.UNet, generator),
        config.CreateAutoencoder(),
        config.Text is { } text ? new(text, generator) : null,
        config.SecondText is { } second ? new(second, generator) : null)
    {
    }

    /// <summary>Networks that are filled already, which become this one's.</summary>
    public DiffusionNetwork(DiffusionConfig config, UNet unet, Autoencoder? autoencoder, ClipTextNetwork? text, ClipTextNetwork? secondText = null) : base(nameof(DiffusionNetwork))
    {
        (Config, this.unet, vae, text_encoder, text_encoder_2) = (config, unet, autoencoder, text, secondText);
        RegisterComponents();
        if (config.Lora is { } lora)
            TrainedLora.Add(unet, lora);
    }

    // Pixels that the encoder sees at once.
    private const long MostPixels = 512 * 512;

    public DiffusionConfig Config { get; private set; }

    public UNet UNet => unet;

    /// <summary>Null where the U-Net makes pixels.</summary>
    public Autoencoder? Autoencoder => vae;

    public ClipTextNetwork? Text => text_encoder;

    /// <summary>Of an SDXL.</summary>
    public ClipTextNetwork? SecondText => text_encoder_2;

    /// <summary>The blocks of the shallowest text encoder that prompts may skip, see <see cref="Read"/>, and one more.</summary>
    public int SkippableBlocks => text_encoder_2 is null ? text_encoder?.Config.Depth ?? 0 : Math.Min(text_encoder!.Config.Depth, text_encoder_2.Config.Depth) - 1;

    /// <summary>Pixels a side that the U-Net sees as one place.</summary>
    public int Downscale => Autoencoder?.Downscale ?? 1;

    /// <summary>The channels of what the U-Net removes noise from.</summary>
    public int Channels => Autoencoder?.LatentChannels ?? Config.UNet.InputChannels;

    /// <summary>Whether the U-Net was trained to paint within masks: it reads them, and the image around them.</summary>
    public bool PaintsMasks => Autoencoder is not null && Config.UNet.InputChannels == 2 * Channels + 1;

    public static DiffusionNetwork Create(DiffusionConfig config, Generator? generator = null) => new(config, generator);

    /// <summary>Gives the U-Net a LoRA to learn, which changes nothing yet.</summary>
    public void AddLora(LoraConfig lora, Generator generator)
    {
        Config = (Config with { Lora = lora }).Validate();
        TrainedLora.Add(unet, lora);
        TrainedLora.Draw(unet, generator);
    }

    /// <summary>What the U-Net is told of prompts.</summary>
    /// <param name="ids">Their tokens, as <see cref="PromptTokenizer.Encode"/> gives them, on the network's device.</param>
    /// <param name="skippedBlocks">The last blocks of each text encoder that words do not go through.</param>
    public PromptVectors Read(Tensor ids, int skippedBlocks)
    {
        if (text_encoder_2 is null)
            return new(text_encoder!.Read(ids, skippedBlocks).Tokens, null);
        // SDXL's words are those of both before the last block and its norm, side by side, and the text as a whole is the second's (arXiv 2307.01952, 2.1).
        var rows = ids.chunk(2, 1);
        var first = text_encoder!.Read(rows[0], skippedBlocks + 1, norm: false);
        var second = text_encoder_2.Read(rows[1], skippedBlocks + 1, norm: false);
        return new(cat([first.Tokens, second.Tokens], 2), second.Text);
    }

    /// <summary>Images as the U-Net sees them, [B, C, h, w]: latents, or pixels from -1 to 1.</summary>
    /// <param name="images">From -1 to 1, [B, 3, H, W].</param>
    /// <param name="noise">Draws for an encoder that is not sure of its latents; null takes what is likeliest.</param>
    /// <param name="tile">The side in pixels of <see cref="AutoencoderTiles"/>; null for none.</param>
    public Tensor ToLatents(Tensor images, Func<long[], Tensor>? noise, int? tile = null)
    {
        if (Autoencoder is not { } autoencoder)
            return images.alias();
        long[] shape = [images.shape[0], Channels, images.shape[2] / Downscale, images.shape[3] / Downscale];
        var drawn = autoencoder is AutoencoderKl ? noise?.Invoke(shape).to(images.dtype) : null;
        // What lies between takes much memory.
        var together = Math.Max(1, MostPixels / (images.shape[2] * images.shape[3]));
        return cat([.. images.split(together).Select((some, i) => autoencoder.ToLatents(some, drawn?.split(together)[i], tile))]);
    }

    /// <summary>Images, about -1 to 1, [B, 3, H, W].</summary>
    /// <param name="latents">[B, C, h, w].</param>
    /// <param name="tile">The side in pixels of <see cref="AutoencoderTiles"/>; null for none.</param>
    public Tensor ToImages(Tensor latents, int? tile = null) => Autoencoder is { } autoencoder ? ToImages(autoencoder, latents, tile) : latents.alias();

    /// <summary>The same by a copy of the autoencoder, for numbers that its own type does not have.</summary>
    public Tensor ToImagesInFloat32(Tensor latents, int? tile = null)
    {
        using var noGradients = no_grad();
        using var copy = Config.CreateAutoencoder()!;
        copy.to(latents.device);
        foreach (var (target, source) in copy.state_dict().Values.Zip(vae!.state_dict().Values))
            target.copy_(source);
        copy.eval();
        return ToImages(copy, latents.to(ScalarType.Float32), tile);
    }

    // One after the other, for the same reason.
    private static Tensor ToImages(Autoencoder autoencoder, Tensor latents, int? tile) => cat([.. latents.split(1).Select(one => autoencoder.ToImages(one, tile))]);
}
