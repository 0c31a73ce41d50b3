using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>The hyper-parameters of a tiny autoencoder. Lists are by stage: those of the encoder begin with the largest features, those of the decoder with the smallest.</summary>
/// <remarks>Two configurations with equal lists are not equal records: compare what <see cref="Pipelines.ModelJson"/> writes.</remarks>
internal sealed partial record TinyAutoencoderConfig
{
    private const string ClassName = "AutoencoderTiny";

    private static readonly (string Key, string[] Built)[] s_built = [("upsample_fn", ["nearest"])];

    [ConfigKey("in_channels")]
    public int InputChannels { get; init; } = 3;
    [ConfigKey("out_channels")]
    public int OutputChannels { get; init; } = 3;
    [ConfigKey("latent_channels")]
    public int LatentChannels { get; init; } = 4;
    [ConfigKey("encoder_block_out_channels")]
    public int[] EncoderChannels { get; init; } = [64, 64, 64, 64];
    [ConfigKey("decoder_block_out_channels")]
    public int[] DecoderChannels { get; init; } = [64, 64, 64, 64];

    /// <summary>Blocks of each stage.</summary>
    [ConfigKey("num_encoder_blocks"), FromTo(0)]
    public int[] EncoderBlocks { get; init; } = [1, 3, 3, 3];

    /// <inheritdoc cref="EncoderBlocks"/>
    [ConfigKey("num_decoder_blocks"), FromTo(0)]
    public int[] DecoderBlocks { get; init; } = [3, 3, 3, 1];
    [ConfigKey("act_fn")]
    public Activation Activation { get; init; } = Activation.Relu;

    /// <summary>How much larger each stage of the decoder makes the features.</summary>
    [ConfigKey("upsampling_scaling_factor"), FromTo(1, 16)]
    public int Enlargement { get; init; } = 2;

    /// <summary>The groups of the norm in a branch that blocks of the latents' size begin with, in the autoencoders of newer diffusion models; null where these have none.</summary>
    public int? PoolGroups { get; init; }

    /// <summary>What latents are multiplied by before the U-Net.</summary>
    [ConfigKey("scaling_factor")]
    public double ScalingFactor { get; init; } = 1;

    /// <summary>Latents from minus to plus this become 0 to 1 where they are stored as images.</summary>
    [ConfigKey("latent_magnitude")]
    public double LatentMagnitude { get; init; } = 3;

    /// <summary>What 0 becomes there.</summary>
    [ConfigKey("latent_shift")]
    public double LatentShift { get; init; } = 0.5;

    /// <summary>Layers of the encoder: a convolution before each stage's blocks, and one at the end.</summary>
    public int EncoderDepth => EncoderBlocks.Sum() + EncoderBlocks.Length + 1;

    /// <summary>Layers of the decoder: a convolution and an activation, each stage's blocks and a convolution, before which all but the last enlarge.</summary>
    public int DecoderDepth => 2 + DecoderBlocks.Sum() + (2 * DecoderBlocks.Length) - 1;

    /// <summary>Reads the <c>config.json</c> of an <c>AutoencoderTiny</c>. A missing key means the library's default.</summary>
    /// <exception cref="CheckpointException">Another class, or a value of the wrong kind; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static TinyAutoencoderConfig FromDiffusers(JsonElement config)
    {
        if (config.Get("_class_name", ClassName) is var name && name != ClassName)
            throw new CheckpointException($"The configuration has the _class_name '{name}', not {ClassName}.");
        DiffusersConfig.RequireBuilt(config, s_built);
        return ConfigKeys.Read(config, new TinyAutoencoderConfig()).Validate();
    }

    /// <summary>The <c>config.json</c> that diffusers writes for this network.</summary>
    public JsonObject ToDiffusers() => ConfigKeys.Write(this, new Dictionary<string, JsonNode?> { ["_class_name"] = ClassName });

    /// <summary>What the authors' own files tell, which have no configuration: layers are counted, and widths measured.</summary>
    /// <param name="encoder">The encoder's tensors, in the authors' names.</param>
    /// <param name="decoder">The decoder's.</param>
    /// <exception cref="CheckpointException">They are of another network.</exception>
    public static TinyAutoencoderConfig FromTensors(Checkpoint encoder, Checkpoint decoder)
    {
        var (first, last, encoderRuns) = Measure(encoder);
        var (_, decoderLast, decoderRuns) = Measure(decoder);
        var pools = encoder.Tensors.Keys.Any(name => name.Contains(".pool.", StringComparison.Ordinal));
        return new TinyAutoencoderConfig
        {
            InputChannels = (int)first.Shape[1],
            OutputChannels = (int)decoderLast.Shape[0],
            LatentChannels = (int)last.Shape[0],
            EncoderChannels = [.. encoderRuns.Select(_ => (int)last.Shape[1])],
            DecoderChannels = [.. decoderRuns.Select(_ => (int)decoderLast.Shape[1])],
            EncoderBlocks = encoderRuns,
            DecoderBlocks = decoderRuns,
            PoolGroups = pools ? UsualPoolGroups : null,
        }.Validate();
    }

    /// <summary>Throws for hyper-parameters that make no network.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the numbers do not fit each other.</exception>
    public TinyAutoencoderConfig Validate()
    {
        HyperParameters.Check(this);
        foreach (var (channels, blocks, half) in new[] { (EncoderChannels, EncoderBlocks, "encoder"), (DecoderChannels, DecoderBlocks, "decoder") })
        {
            if (channels.Length == 0 || channels.Length != blocks.Length)
                throw new ArgumentException($"The {half} has {channels.Length} stages ('{half}_block_out_channels' of config.json), but blocks for {blocks.Length} ('num_{half}_blocks').");
            if (channels.Distinct().Count() > 1)
                throw new ArgumentException($"All stages of the {half} have the same channels ('{half}_block_out_channels' of config.json), not {string.Join(", ", channels)}.");
        }
        if (ScalingFactor == 0 || LatentMagnitude == 0)
            throw new ArgumentException("The factor and the magnitude of latents ('scaling_factor', 'latent_magnitude' of config.json) must not be 0.");
        return this;
    }

    private const int UsualPoolGroups = 4;

    /// <summary>The first and the last convolution, and the lengths of the runs of blocks between others.</summary>
    private static (TensorInfo First, TensorInfo Last, int[] Runs) Measure(Checkpoint half)
    {
        int[] Numbers(Regex pattern) => [.. half.Tensors.Keys.Select(name => pattern.Match(name)).Where(match => match.Success)
            .Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).Order()];
        var (blocks, convolutions) = (Numbers(BlockName()), Numbers(ConvolutionName()));
        if (convolutions.Length < 2 || half.Tensors.Values.Any(tensor => ConvolutionName().IsMatch(tensor.Name) && tensor.Shape.Count != 4))
            throw new CheckpointException($"{half.Path}: this is no half of a tiny autoencoder: its tensors should be 0.weight, 1.conv.0.weight and so on.");
        // Between two convolutions stand the blocks of a stage, and in the decoder what has no tensors.
        int[] runs = [.. convolutions.Zip(convolutions.Skip(1)).Select(pair => blocks.Count(block => block > pair.First && block < pair.Second))];
        return (half.Tensors[$"{convolutions[0]}.weight"], half.Tensors[$"{convolutions[^1]}.weight"], runs);
    }

    [GeneratedRegex(@"\A(\d{1,6})\.conv\.0\.weight\z")]
    private static partial Regex BlockName();

    [GeneratedRegex(@"\A(\d{1,6})\.weight\z")]
    private static partial Regex ConvolutionName();
}
