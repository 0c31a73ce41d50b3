using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>The hyper-parameters of an autoencoder. Lists are by stage, the largest features first; <see cref="Up"/> is in the order of the way up.</summary>
/// <remarks>Two configurations with equal lists are not equal records: compare what <see cref="Pipelines.ModelJson"/> writes.</remarks>
internal sealed record AutoencoderKlConfig
{
    private const string ClassName = "AutoencoderKL";

    private static readonly (string Key, string[] Built)[] s_built = [("latents_mean", []), ("latents_std", [])];

    [ConfigKey("in_channels")]
    public int InputChannels { get; init; } = 3;
    [ConfigKey("out_channels")]
    public int OutputChannels { get; init; } = 3;
    [ConfigKey("latent_channels")]
    public int LatentChannels { get; init; } = 4;

    /// <summary>Channels of each stage.</summary>
    [ConfigKey("block_out_channels")]
    public int[] Channels { get; init; } = [64];

    /// <summary>Residual blocks of each stage of the encoder; the decoder's have one more.</summary>
    [ConfigKey("layers_per_block")]
    public int Layers { get; init; } = 1;

    /// <summary>Which stages have attention.</summary>
    public bool[] Down { get; init; } = [false];

    /// <inheritdoc cref="Down"/>
    public bool[] Up { get; init; } = [false];

    /// <summary>Whether the smallest features have attention.</summary>
    [ConfigKey("mid_block_add_attention")]
    public bool MiddleAttention { get; init; } = true;
    [ConfigKey("act_fn")]
    public Activation Activation { get; init; } = Activation.Silu;
    [ConfigKey("norm_num_groups")]
    public int NormGroups { get; init; } = 32;

    /// <summary>Whether a convolution of one place follows the encoder.</summary>
    [ConfigKey("use_quant_conv")]
    public bool QuantConvolution { get; init; } = true;

    /// <summary>Whether a convolution of one place comes before the decoder.</summary>
    [ConfigKey("use_post_quant_conv")]
    public bool PostQuantConvolution { get; init; } = true;

    /// <summary>What latents are multiplied by, so that their spread is about 1.</summary>
    [ConfigKey("scaling_factor")]
    public double ScalingFactor { get; init; } = 0.18215;

    /// <summary>What is taken from latents before that.</summary>
    public double ShiftFactor { get; init; }

    /// <summary>The size of images that the network was trained with; others work too.</summary>
    [ConfigKey("sample_size")]
    public ImageSize SampleSize { get; init; } = 32;

    public int Stages => Channels.Length;

    /// <summary>How many pixels a side a place of the latents stands for.</summary>
    public int Downscale => 1 << (Stages - 1);

    /// <summary>What the blocks have in common.</summary>
    public BlockConfig Blocks => new() { NormGroups = NormGroups, NormEps = 1e-6, Activation = Activation };

    /// <summary>Reads the <c>config.json</c> of an <c>AutoencoderKL</c>. A missing key means the library's default.</summary>
    /// <exception cref="CheckpointException">Another class, a value of the wrong kind, or one that names a part which is not built; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static AutoencoderKlConfig FromDiffusers(JsonElement config)
    {
        if (config.Get("_class_name", ClassName) is var name && name != ClassName)
            throw new CheckpointException($"The configuration has the _class_name '{name}', not {ClassName}.");
        DiffusersConfig.RequireBuilt(config, s_built);
        return (ConfigKeys.Read(config, new AutoencoderKlConfig()) with
        {
            Down = Attentions(config, "down_block_types", "DownEncoderBlock2D"),
            Up = Attentions(config, "up_block_types", "UpDecoderBlock2D"),
            ShiftFactor = config.Optional("shift_factor")?.Number("shift_factor") ?? 0,
        }).Validate();
    }

    /// <summary>The <c>config.json</c> that diffusers writes for this network, less what it does not need.</summary>
    public JsonObject ToDiffusers() => ConfigKeys.Write(this, new Dictionary<string, JsonNode?>
    {
        ["_class_name"] = ClassName,
        ["down_block_types"] = new JsonArray([.. Down.Select(attention => JsonValue.Create(attention ? "AttnDownEncoderBlock2D" : "DownEncoderBlock2D"))]),
        ["shift_factor"] = ShiftFactor == 0 ? null : ShiftFactor,
        ["up_block_types"] = new JsonArray([.. Up.Select(attention => JsonValue.Create(attention ? "AttnUpDecoderBlock2D" : "UpDecoderBlock2D"))]),
    });

    /// <summary>Throws for hyper-parameters that make no network.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the numbers do not fit each other.</exception>
    public AutoencoderKlConfig Validate()
    {
        HyperParameters.Check(this);
        if (Stages == 0 || Down.Length != Stages || Up.Length != Stages)
            throw new ArgumentException(
                $"The autoencoder has {Stages} stages ('block_out_channels' of config.json), {Down.Length} on the way down ('down_block_types') and {Up.Length} up ('up_block_types').");
        if (Channels.FirstOrDefault(channels => channels % NormGroups != 0) is > 0 and var odd)
            throw new ArgumentException($"{odd} channels ('block_out_channels' of config.json) cannot be divided among {NormGroups} groups ('norm_num_groups').");
        if (ScalingFactor == 0)
            throw new ArgumentException("The factor of latents ('scaling_factor' of config.json) must not be 0.");
        return this;
    }

    private static bool[] Attentions(JsonElement config, string key, string plain) =>
    [
        .. (config.Texts(key) ?? [plain]).Select(name => name == plain ? false : name == $"Attn{plain}" ? true
            : throw new CheckpointException($"The configuration's '{key}' has '{name}', which is not built; it may have {plain} and Attn{plain}.")),
    ];
}
