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

    /// <summary>The second text encoder of SDXL (arXiv 2307.01952, 2.1), which also tells the vector of the whole text; null for a model with one.</summary>
    public ClipTextConfig? SecondText { get; init; }

    /// <summary>The token that fills the second text encoder's row.</summary>
    [FromTo(0)]
    public int SecondPadding { get; init; }

    /// <summary>Whether the vectors of an empty negative prompt are zeros, not those that the text encoders tell (SDXL).</summary>
    public bool ZerosForNothing { get; init; }

    public SchedulerConfig Scheduler { get; init; } = new();

    /// <summary>The size of images that the model is meant for.</summary>
    public ImageSize ImageSize { get; init; } = 64;

    /// <summary>The class that stands for none, by which guidance goes; null for a model without one.</summary>
    [FromTo(0)]
    public int? NoClass { get; init; }

    /// <summary>What was trained beside the U-Net's weights; null for a model without.</summary>
    public LoraConfig? Lora { get; init; }

    /// <summary>What the model is called where it is said how an image was made.</summary>
    public string Name { get; init; } = "";

    /// <summary>The channels of the latents; null where the U-Net makes pixels.</summary>
    public int? LatentChannels => Autoencoder?.LatentChannels ?? TinyAutoencoder?.LatentChannels;

    /// <summary>The autoencoder, without values; null where the U-Net makes pixels.</summary>
    public Autoencoder? CreateAutoencoder() => Autoencoder is { } kl ? new AutoencoderKl(kl) : TinyAutoencoder is { } tiny ? new TinyAutoencoder(tiny) : null;

    /// <summary>How prompts become tokens.</summary>
    public PromptTokenizer? Tokenizer(ITextTokenizer? tokenizer) => tokenizer is ClipTokenizer clip ? new(clip, PromptLength, SecondText is null ? [Padding] : [Padding, SecondPadding]) : null;

    /// <exception cref="ArgumentException">The parts do not fit each other.</exception>
    public DiffusionConfig Validate()
    {
        UNet.Validate();
        Scheduler.Validate();
        if (LatentChannels is { } channels && UNet.OutputChannels != channels && UNet.OutputChannels != 2 * channels)
            throw new ArgumentException($"The U-Net makes {UNet.OutputChannels} channels ('out_channels' of its config.json), and the autoencoder reads {channels} ('latent_channels').");
        if (UNet.KnowsWords != Text is not null)
            throw new ArgumentException(Text is null ? "The U-Net attends to words, but there is no text encoder." : "There is a text encoder, but the U-Net attends to no words.");
        var words = (Text?.Width ?? 0) + (SecondText?.Width ?? 0);
        if (Text is not null && UNet.ContextWidths!.Any(width => width != words))
            throw new ArgumentException($"The U-Net attends to vectors of {UNet.ContextWidths![0]} numbers ('cross_attention_dim' of its config.json), and the text encoders' have {words} ('hidden_size').");
        foreach (var (text, padding) in new[] { (Text, Padding), (SecondText, SecondPadding) })
        {
            if (text is not null && (PromptLength < 2 || PromptLength > text.Positions || padding >= text.VocabularySize))
                throw new ArgumentException($"Prompts of {PromptLength} tokens, padded with number {padding}, are none for a text encoder of {text.Positions} positions and {text.VocabularySize} tokens.");
        }
        RequireTextAndSizes();
        if (UNet.ClassEmbedding is not (ClassEmbedding.None or ClassEmbedding.Table))
            throw new ArgumentException($"The U-Net is told classes as vectors ('class_embed_type' of its config.json is {UNet.ClassEmbedding}), for which a row has no column.");
        if (Lora is not null)
            HyperParameters.Check(Lora);
        if (NoClass is { } none && none >= UNet.Classes)
            throw new ArgumentException($"The class that stands for none is {none}, but there are {UNet.Classes}.");
        return this;
    }

    /// <summary>An SDXL is told the vector of the whole text, and sizes (arXiv 2307.01952, 2.2); other models neither.</summary>
    private void RequireTextAndSizes()
    {
        if (UNet.SizeWidth is not { } waves)
        {
            if (SecondText is not null)
                throw new ArgumentException("There are two text encoders, as in SDXL, but the U-Net is told no text as a whole ('addition_embed_type' of its config.json).");
            return;
        }
        if (Text is null || SecondText is not { EmbeddingSize: > 0 and var text })
            throw new ArgumentException("The U-Net is one of SDXL ('addition_embed_type' of its config.json), for which there must be two text encoders, the second with a projection. SDXL's refiner, which has the second alone and is told how beautiful an image is, is not built.");
        if (UNet.ProjectionWidth != text + UNetGuidance.SizeCount * waves)
            throw new ArgumentException($"The U-Net is told {UNet.ProjectionWidth} numbers beside the time ('projection_class_embeddings_input_dim' of its config.json), but a text's {text} and {UNetGuidance.SizeCount} sizes of {waves} each are {text + UNetGuidance.SizeCount * waves}.");
    }
}
