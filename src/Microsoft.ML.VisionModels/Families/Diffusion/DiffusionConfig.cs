using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>The parts of a diffusion model, and how they go together.</summary>
internal sealed record DiffusionConfig
{
    public UNetConfig UNet { get; init; } = new();

    /// <summary>Of a latent diffusion model (arXiv 2112.10752); this or <see cref="TinyAutoencoder"/>, or neither where the U-Net makes pixels.</summary>
    public AutoencoderKlConfig? Autoencoder { get; init; }

    public TinyAutoencoderConfig? TinyAutoencoder { get; init; }

    /// <summary>Of a model that knows words.</summary>
    public ClipTextConfig? Text { get; init; }

    /// <summary>Tokens of a prompt's row; 0 for a model that knows no words.</summary>
    [FromTo(0)]
    public int PromptLength { get; init; }

    /// <summary>The token that fills a prompt's row.</summary>
    [FromTo(0)]
    public int Padding { get; init; }

    public SchedulerConfig Scheduler { get; init; } = new();

    /// <summary>The size of images that the model is meant for.</summary>
    public ImageSize ImageSize { get; init; } = 64;

    /// <summary>The class that stands for none, by which guidance goes; null for a model without one.</summary>
    [FromTo(0)]
    public int? NoClass { get; init; }

    /// <summary>What the model is called where it is said how an image was made.</summary>
    public string Name { get; init; } = "";

    /// <summary>The channels of the latents; null where the U-Net makes pixels.</summary>
    public int? LatentChannels => Autoencoder?.LatentChannels ?? TinyAutoencoder?.LatentChannels;

    /// <summary>The autoencoder, without values; null where the U-Net makes pixels.</summary>
    public Autoencoder? CreateAutoencoder() => Autoencoder is { } kl ? new AutoencoderKl(kl) : TinyAutoencoder is { } tiny ? new TinyAutoencoder(tiny) : null;

    /// <summary>How prompts become tokens.</summary>
    public PromptTokenizer? Tokenizer(ITextTokenizer? tokenizer) => tokenizer is ClipTokenizer clip ? new(clip, PromptLength, Padding) : null;

    /// <exception cref="ArgumentException">The parts do not fit each other.</exception>
    public DiffusionConfig Validate()
    {
        UNet.Validate();
        Scheduler.Validate();
        if (LatentChannels is { } channels && UNet.OutputChannels != channels && UNet.OutputChannels != 2 * channels)
            throw new ArgumentException($"The U-Net makes {UNet.OutputChannels} channels ('out_channels' of its config.json), and the autoencoder reads {channels} ('latent_channels').");
        if (UNet.KnowsWords != Text is not null)
            throw new ArgumentException(Text is null ? "The U-Net attends to words, but there is no text encoder." : "There is a text encoder, but the U-Net attends to no words.");
        if (Text is { } text && UNet.ContextWidths!.Any(width => width != text.Width))
            throw new ArgumentException($"The U-Net attends to vectors of {UNet.ContextWidths![0]} numbers ('cross_attention_dim' of its config.json), and the text encoder's have {text.Width} ('hidden_size').");
        if (Text is not null && (PromptLength < 2 || PromptLength > Text.Positions || Padding >= Text.VocabularySize))
            throw new ArgumentException($"Prompts of {PromptLength} tokens, padded with number {Padding}, are none for a text encoder of {Text.Positions} positions and {Text.VocabularySize} tokens.");
        if (UNet.ClassEmbedding is not (ClassEmbedding.None or ClassEmbedding.Table))
            throw new ArgumentException($"The U-Net is told classes as vectors ('class_embed_type' of its config.json is {UNet.ClassEmbedding}), for which a row has no column.");
        if (UNet.SizeWidth is not null)
            throw new ArgumentException("The U-Net is one of SDXL ('addition_embed_type' of its config.json), whose two text encoders this version does not put together.");
        if (NoClass is { } none && none >= UNet.Classes)
            throw new ArgumentException($"The class that stands for none is {none}, but there are {UNet.Classes}.");
        return this;
    }
}
