using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;
using GroupNorm = Microsoft.ML.VisionModels.Layers.GroupNorm;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>
/// The autoencoder of latent diffusion (arXiv 2112.10752, 3.1): an encoder to a normal distribution of latents for each image, and a decoder.
/// Reference implementation: diffusers' <c>AutoencoderKL</c>, whose names the parameters bear.
/// </summary>
/// <remarks>Built without values: load a checkpoint.</remarks>
internal sealed class AutoencoderKl : Autoencoder, INetwork<AutoencoderKlConfig, AutoencoderKl>
{
    private readonly AutoencoderKlEncoder encoder;
    private readonly AutoencoderKlDecoder decoder;
    private readonly Conv2d? quant_conv, post_quant_conv;

    public AutoencoderKl(AutoencoderKlConfig config) : base(nameof(AutoencoderKl))
    {
        Config = config.Validate();
        (encoder, decoder) = (new(config), new(config));
        quant_conv = config.QuantConvolution ? new(2 * config.LatentChannels, 2 * config.LatentChannels, 1, stride: 1) : null;
        post_quant_conv = config.PostQuantConvolution ? new(config.LatentChannels, config.LatentChannels, 1, stride: 1) : null;
        RegisterComponents();
    }

    public AutoencoderKlConfig Config { get; }

    public static AutoencoderKl Create(AutoencoderKlConfig config, Generator? generator = null) => new(config);

    public override int LatentChannels => Config.LatentChannels;

    public override int Downscale => Config.Downscale;

    public override Tensor ToLatents(Tensor images, Tensor? noise = null, int? tile = null)
    {
        using var scope = NewDisposeScope();
        var latents = new LatentDistribution(AutoencoderTiles.Map(images, tile, tile / Downscale, part => Moments(part)));
        return (noise is null ? latents.Mean : latents.Sample(noise)).Sub(Config.ShiftFactor).Mul(Config.ScalingFactor).MoveToOuterDisposeScope();
    }

    public override Tensor ToImages(Tensor latents, int? tile = null)
    {
        using var scope = NewDisposeScope();
        return AutoencoderTiles.Map(latents.Div(Config.ScalingFactor).Add(Config.ShiftFactor), tile / Downscale, tile, part => Decode(part)).MoveToOuterDisposeScope();
    }

    /// <summary>Means and logarithms of variances of the latents, not scaled, [B, 2 latent, H / scale, W / scale], of images [B, C, H, W].</summary>
    /// <param name="images">From -1 to 1.</param>
    /// <param name="trace">Takes <c>encoder.conv_in</c>, <c>encoder.down_blocks.i</c> and <c>encoder.mid_block</c>, and what these take.</param>
    public Tensor Moments(Tensor images, Trace? trace = null)
    {
        using var scope = NewDisposeScope();
        var moments = encoder.forward(images, trace?.In("encoder"));
        return (quant_conv?.forward(moments) ?? moments).MoveToOuterDisposeScope();
    }

    /// <summary>Images [B, C, scale H, scale W] of latents [B, latent, H, W] that are not scaled.</summary>
    /// <param name="latents">The latents.</param>
    /// <param name="trace">Takes <c>decoder.conv_in</c>, <c>decoder.mid_block</c> and <c>decoder.up_blocks.i</c>, and what these take.</param>
    public Tensor Decode(Tensor latents, Trace? trace = null)
    {
        using var scope = NewDisposeScope();
        return decoder.forward(post_quant_conv?.forward(latents) ?? latents, trace?.In("decoder")).MoveToOuterDisposeScope();
    }
}

/// <summary>The normal distribution of an image's latents.</summary>
/// <param name="moments">Means and logarithms of variances, [B, 2 latent, H, W].</param>
internal readonly struct LatentDistribution(Tensor moments)
{
    private const double LeastLogVariance = -30, MostLogVariance = 20;

    /// <summary>The likeliest latents, [B, latent, H, W].</summary>
    public Tensor Mean => moments.narrow(1, 0, moments.shape[1] / 2);

    /// <summary>[B, latent, H, W].</summary>
    public Tensor LogVariance
    {
        get
        {
            using TorchSharp.Scalar least = LeastLogVariance, most = MostLogVariance;
            return moments.narrow(1, moments.shape[1] / 2, moments.shape[1] / 2).clamp(least, most);
        }
    }

    public Tensor StandardDeviation => LogVariance.Mul(0.5).exp();

    /// <summary>Latents drawn with normal noise of their shape.</summary>
    public Tensor Sample(Tensor noise) => Mean.Add(StandardDeviation * noise);

    /// <summary>How far each image's distribution is from the standard one, the Kullback-Leibler divergence in nats, [B].</summary>
    public Tensor Divergence()
    {
        var (mean, logVariance) = (Mean, LogVariance);
        return (mean * mean).Add(logVariance.exp()).Sub(1).Add(logVariance.neg()).flatten(1).sum(1).Mul(0.5);
    }
}

internal sealed class AutoencoderKlEncoder : nn.Module
{
    private readonly Conv2d conv_in, conv_out;
    private readonly ModuleList<DownStage> down_blocks;
    private readonly MidStage mid_block;
    private readonly GroupNorm conv_norm_out;

    public AutoencoderKlEncoder(AutoencoderKlConfig config) : base(nameof(AutoencoderKlEncoder))
    {
        var (channels, blocks) = (config.Channels, config.Blocks);
        conv_in = new(config.InputChannels, channels[0], 3, stride: 1, padding: 1);
        down_blocks = [.. channels.Select((outputs, stage) => new DownStage(blocks, channels[Math.Max(0, stage - 1)], outputs, config.Layers,
            config.Down[stage] ? () => AutoencoderKlDecoder.Attention(config, outputs) : null, padding: stage < config.Stages - 1 ? 0 : null, generator: null))];
        mid_block = AutoencoderKlDecoder.Middle(config);
        (conv_norm_out, conv_out) = (new(config.NormGroups, channels[^1], blocks.NormEps), new(channels[^1], 2 * config.LatentChannels, 3, stride: 1, padding: 1));
        RegisterComponents();
    }

    public Tensor forward(Tensor x, Trace? trace)                                   // [B, C, H, W]
    {
        x = conv_in.forward(x);
        trace?.Add("conv_in", x);
        foreach (var (stage, block) in down_blocks.Index())
        {
            using var scope = NewDisposeScope();
            x = block.forward(x, BlockCondition.None, trace: trace?.In($"down_blocks.{stage}")).MoveToOuterDisposeScope();     // [B, D, H / 2^i, W / 2^i]
            trace?.Add($"down_blocks.{stage}", x);
        }
        x = mid_block.forward(x, BlockCondition.None, trace?.In("mid_block"));
        trace?.Add("mid_block", x);
        return conv_out.forward(Activation.Silu.Apply(conv_norm_out.forward(x)));   // [B, 2 latent, h, w]
    }
}

internal sealed class AutoencoderKlDecoder : nn.Module
{
    private readonly Conv2d conv_in, conv_out;
    private readonly MidStage mid_block;
    private readonly ModuleList<UpStage> up_blocks;
    private readonly GroupNorm conv_norm_out;

    public AutoencoderKlDecoder(AutoencoderKlConfig config) : base(nameof(AutoencoderKlDecoder))
    {
        int[] channels = [.. config.Channels.Reverse()];
        conv_in = new(config.LatentChannels, channels[0], 3, stride: 1, padding: 1);
        mid_block = Middle(config);
        up_blocks = [.. channels.Select((outputs, step) => new UpStage(config.Blocks, channels[Math.Max(0, step - 1)], outputs, new int[config.Layers + 1],
            config.Up[step] ? () => Attention(config, outputs) : null, doubles: step < config.Stages - 1, generator: null))];
        (conv_norm_out, conv_out) = (new(config.NormGroups, channels[^1], config.Blocks.NormEps), new(channels[^1], config.OutputChannels, 3, stride: 1, padding: 1));
        RegisterComponents();
    }

    public Tensor forward(Tensor x, Trace? trace)                                   // [B, latent, h, w]
    {
        x = conv_in.forward(x);
        trace?.Add("conv_in", x);
        x = mid_block.forward(x, BlockCondition.None, trace?.In("mid_block"));
        trace?.Add("mid_block", x);
        foreach (var (step, block) in up_blocks.Index())
        {
            using var scope = NewDisposeScope();
            x = block.forward(x, BlockCondition.None, trace: trace?.In($"up_blocks.{step}")).MoveToOuterDisposeScope();        // [B, D, 2^i h, 2^i w]
            trace?.Add($"up_blocks.{step}", x);
        }
        return conv_out.forward(Activation.Silu.Apply(conv_norm_out.forward(x)));   // [B, C, H, W]
    }

    /// <summary>Attention of one head, as all of an autoencoder.</summary>
    internal static AttentionBlock Attention(AutoencoderKlConfig config, int channels) => new(config.Blocks, channels, heads: 1, config.NormGroups);

    internal static MidStage Middle(AutoencoderKlConfig config) =>
        new(config.Blocks, config.Channels[^1], 2, config.MiddleAttention ? Attention(config, config.Channels[^1]) : null, generator: null);
}
