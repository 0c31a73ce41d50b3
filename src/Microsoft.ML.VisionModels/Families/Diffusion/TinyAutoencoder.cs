using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;
using GroupNorm = Microsoft.ML.VisionModels.Layers.GroupNorm;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>
/// A tiny autoencoder that was trained to give the latents and the images of a large one, in a hundredth of the time: TAESD and its kin.
/// Reference implementations: madebyollin/taesd, and diffusers' <c>AutoencoderTiny</c>, whose numbers of layers the parameters bear.
/// </summary>
/// <remarks>Built without values: load a checkpoint.</remarks>
internal sealed class TinyAutoencoder : Autoencoder, INetwork<TinyAutoencoderConfig, TinyAutoencoder>
{
    private readonly TinyAutoencoderHalf encoder, decoder;

    public TinyAutoencoder(TinyAutoencoderConfig config) : base(nameof(TinyAutoencoder))
    {
        Config = config.Validate();
        (encoder, decoder) = (TinyAutoencoderHalf.Encoder(config), TinyAutoencoderHalf.Decoder(config));
        RegisterComponents();
    }

    public TinyAutoencoderConfig Config { get; }

    public static TinyAutoencoder Create(TinyAutoencoderConfig config, Generator? generator = null) => new(config);

    public TinyAutoencoderHalf Encoder => encoder;

    public TinyAutoencoderHalf Decoder => decoder;

    public override int LatentChannels => Config.LatentChannels;

    public override int Downscale => 1 << (Config.EncoderChannels.Length - 1);

    /// <summary>The noise is not needed: the encoder is sure.</summary>
    public override Tensor ToLatents(Tensor images, Tensor? noise = null, int? tile = null)
    {
        using var scope = NewDisposeScope();
        return AutoencoderTiles.Map(images, tile, tile / Downscale, Encode).Mul(Config.ScalingFactor).MoveToOuterDisposeScope();
    }

    public override Tensor ToImages(Tensor latents, int? tile = null)
    {
        using var scope = NewDisposeScope();
        return AutoencoderTiles.Map(latents.Div(Config.ScalingFactor), tile / Downscale, tile, Decode).MoveToOuterDisposeScope();
    }

    /// <summary>Latents [B, latent, H / scale, W / scale] of images [B, C, H, W] from -1 to 1.</summary>
    public Tensor Encode(Tensor images)
    {
        using var scope = NewDisposeScope();
        return encoder.forward(images.Add(1).Mul(0.5)).MoveToOuterDisposeScope();     // the layers know images from 0 to 1
    }

    /// <summary>Images [B, C, scale H, scale W], about -1 to 1, of latents [B, latent, H, W].</summary>
    public Tensor Decode(Tensor latents)
    {
        const double Largest = 3;       // latents are bent to stay below it
        using var scope = NewDisposeScope();
        return decoder.forward(latents.Div(Largest).tanh().Mul(Largest)).Mul(2.0).Sub(1).MoveToOuterDisposeScope();
    }

    /// <summary>Latents as they are stored in images, from 0 to 1.</summary>
    public Tensor ToStored(Tensor latents)
    {
        using TorchSharp.Scalar zero = 0, one = 1;
        return latents.Div(2 * Config.LatentMagnitude).Add(Config.LatentShift).clamp(zero, one);
    }

    /// <summary>Latents that were stored in images.</summary>
    public Tensor FromStored(Tensor stored) => stored.Sub(Config.LatentShift).Mul(2 * Config.LatentMagnitude);

    /// <summary>Images [B, C, H, W], from -1 to 1, through latents that were stored with a byte for each number.</summary>
    public Tensor Reconstruct(Tensor images)
    {
        const int LargestByte = 255;
        using var scope = NewDisposeScope();
        return Decode(FromStored(ToStored(Encode(images)).Mul(LargestByte).round().Div(LargestByte))).MoveToOuterDisposeScope();
    }
}

/// <summary>An encoder or a decoder, layer by layer.</summary>
internal sealed class TinyAutoencoderHalf : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<nn.Module<Tensor, Tensor>> layers;

    private TinyAutoencoderHalf(IEnumerable<nn.Module<Tensor, Tensor>> layers) : base(nameof(TinyAutoencoderHalf))
    {
        this.layers = [.. layers];
        RegisterComponents();
    }

    /// <summary>From images to latents: each stage but the first halves the size.</summary>
    public static TinyAutoencoderHalf Encoder(TinyAutoencoderConfig config)
    {
        return new(Layers());

        IEnumerable<nn.Module<Tensor, Tensor>> Layers()
        {
            var (channels, last) = (config.EncoderChannels, config.EncoderChannels.Length - 1);
            for (var stage = 0; stage <= last; stage++)
            {
                yield return stage == 0 ? Convolution(config.InputChannels, channels[0]) : Convolution(channels[stage], channels[stage], stride: 2, hasBias: false);
                for (var block = 0; block < config.EncoderBlocks[stage]; block++)
                    yield return new TinyAutoencoderBlock(channels[stage], config.Activation, stage == last ? config.PoolGroups : null);
            }
            yield return Convolution(channels[last], config.LatentChannels);
        }
    }

    /// <summary>From latents to images: each stage but the last doubles the size.</summary>
    public static TinyAutoencoderHalf Decoder(TinyAutoencoderConfig config)
    {
        return new(Layers());

        IEnumerable<nn.Module<Tensor, Tensor>> Layers()
        {
            var (channels, last) = (config.DecoderChannels, config.DecoderChannels.Length - 1);
            yield return Convolution(config.LatentChannels, channels[0]);
            yield return new Step(x => config.Activation.Apply(x));
            for (var stage = 0; stage <= last; stage++)
            {
                for (var block = 0; block < config.DecoderBlocks[stage]; block++)
                    yield return new TinyAutoencoderBlock(channels[stage], config.Activation, stage == 0 ? config.PoolGroups : null);
                if (stage < last)
                    yield return new Step(x => nn.functional.interpolate(x, [config.Enlargement * x.shape[2], config.Enlargement * x.shape[3]], mode: InterpolationMode.Nearest));
                yield return Convolution(channels[stage], stage == last ? config.OutputChannels : channels[stage], hasBias: stage == last);
            }
        }
    }

    public override Tensor forward(Tensor x)        // [B, C, H, W]
    {
        foreach (var layer in layers)
        {
            using var scope = NewDisposeScope();
            x = layer.forward(x).MoveToOuterDisposeScope();
        }
        return x;
    }

    internal static Conv2d Convolution(int inputs, int outputs, int stride = 1, bool hasBias = true) => new(inputs, outputs, 3, stride, padding: 1, hasBias);

    /// <summary>A layer without tensors.</summary>
    private sealed class Step(Func<Tensor, Tensor> step) : nn.Module<Tensor, Tensor>(nameof(Step))
    {
        public override Tensor forward(Tensor x) => step(x);
    }
}

/// <summary>Three convolutions on a residual branch; those of newer autoencoders that have the latents' size begin with another, whose norm sees the whole image.</summary>
internal sealed class TinyAutoencoderBlock : nn.Module<Tensor, Tensor>
{
    private const int PoolExpansion = 4;

    private readonly Conv2d conv1, conv2, conv3;
    private readonly Conv2d? pool1, pool2;
    private readonly GroupNorm? pool_norm;
    private readonly Activation _activation;

    /// <param name="channels">C.</param>
    /// <param name="activation">Between the convolutions.</param>
    /// <param name="poolGroups">The groups of the other branch's norm; null for no such branch.</param>
    public TinyAutoencoderBlock(int channels, Activation activation, int? poolGroups) : base(nameof(TinyAutoencoderBlock))
    {
        (conv1, conv2, conv3) = (TinyAutoencoderHalf.Convolution(channels, channels), TinyAutoencoderHalf.Convolution(channels, channels), TinyAutoencoderHalf.Convolution(channels, channels));
        if (poolGroups is { } groups)
        {
            (pool1, pool2) = (new(channels, PoolExpansion * channels, 1, stride: 1, hasBias: false), new(PoolExpansion * channels, channels, 1, stride: 1, hasBias: false));
            pool_norm = new(groups, PoolExpansion * channels, eps: 1e-5);
        }
        _activation = activation;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)        // [B, C, H, W]
    {
        if (pool1 is not null)
            x = x.Add(pool2!.forward(Activation.Relu.Apply(pool_norm!.forward(pool1.forward(x)))));     // by way of [B, 4 C, H, W]
        var branch = conv3.forward(_activation.Apply(conv2.forward(_activation.Apply(conv1.forward(x)))));
        return Activation.Relu.Apply(x.Add(branch));
    }
}
