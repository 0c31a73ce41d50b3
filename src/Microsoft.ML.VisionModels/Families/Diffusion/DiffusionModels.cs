using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>How U-Nets are published: diffusers' folder, or a file with the authors' names.</summary>
internal sealed class UNetModel : PublishedFormat<UNetConfig, UNet>
{
    public override IReadOnlyList<string> ModelTypes => [];     // the class is named instead

    protected override IReadOnlyList<string> Landmarks { get; } = ["time_embedding.linear_1.weight", "time_embed.0.weight"];

    public override IReadOnlyList<Dialect> Dialects(UNetConfig config) => config.KnowsWords ? [DiffusersDialect.UNet(config), LdmDialect.UNet(config)] : [DiffusersDialect.UNet(config)];

    protected override UNetConfig ReadConfig(JsonElement config, IReadOnlyDictionary<string, TensorInfo> tensors) => UNetConfig.FromDiffusers(config);

    protected override UNetConfig ReadTensors(Checkpoint weights, ModelFolder folder) => LdmConfig.UNet(weights);
}

/// <summary>How autoencoders are published: diffusers' folder, or a file with the authors' names.</summary>
internal sealed class AutoencoderKlModel : PublishedFormat<AutoencoderKlConfig, AutoencoderKl>
{
    public override IReadOnlyList<string> ModelTypes => [];

    protected override IReadOnlyList<string> Landmarks { get; } = ["encoder.conv_in.weight"];

    public override IReadOnlyList<Dialect> Dialects(AutoencoderKlConfig config) => [DiffusersDialect.Autoencoder, LdmDialect.Autoencoder(config)];

    protected override AutoencoderKlConfig ReadConfig(JsonElement config, IReadOnlyDictionary<string, TensorInfo> tensors) => AutoencoderKlConfig.FromDiffusers(config);

    protected override AutoencoderKlConfig ReadTensors(Checkpoint weights, ModelFolder folder) => LdmConfig.Autoencoder(weights, new AutoencoderKlConfig().ScalingFactor);
}

/// <summary>How tiny autoencoders are published: diffusers' folder; the authors' two files are <see cref="DiffusionModels.OpenTinyAutoencoder"/>'s.</summary>
internal sealed class TinyAutoencoderModel : PublishedFormat<TinyAutoencoderConfig, TinyAutoencoder>
{
    public override IReadOnlyList<string> ModelTypes => [];

    protected override IReadOnlyList<string> Landmarks { get; } = ["encoder.layers.0.weight", "encoder.0.weight"];

    public override IReadOnlyList<Dialect> Dialects(TinyAutoencoderConfig config) => TinyAutoencoderDialect.All(config);

    protected override TinyAutoencoderConfig ReadConfig(JsonElement config, IReadOnlyDictionary<string, TensorInfo> tensors) => TinyAutoencoderConfig.FromDiffusers(config);

    protected override TinyAutoencoderConfig ReadTensors(Checkpoint weights, ModelFolder folder) =>
        throw new CheckpointException($"{weights.Path} has no config.json beside it, and holds both halves of a tiny autoencoder; give the folder, or a file for each half.");
}

/// <summary>Networks of diffusion models from files that are no folders of diffusers.</summary>
internal static class DiffusionModels
{
    /// <summary>A tiny autoencoder as its authors publish it, in two files without a configuration.</summary>
    /// <param name="encoder">The encoder's file.</param>
    /// <param name="decoder">The decoder's.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or of another network.</exception>
    public static TinyAutoencoder OpenTinyAutoencoder(string encoder, string decoder)
    {
        using var encoderFile = Checkpoint.Open(encoder);
        using var decoderFile = Checkpoint.Open(decoder);
        var network = new TinyAutoencoder(TinyAutoencoderConfig.FromTensors(encoderFile, decoderFile));
        try
        {
            CheckpointLoader.Load(network.Encoder, encoderFile, TinyAutoencoderDialect.Encoder(network.Config));
            CheckpointLoader.Load(network.Decoder, decoderFile, TinyAutoencoderDialect.Decoder(network.Config));
            network.eval();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>A network of hyper-parameters that are known, from a part of a file.</summary>
    public static TNetwork Load<TConfig, TNetwork>(
        this PublishedFormat<TConfig, TNetwork> format, Checkpoint weights, TConfig config, Precision precision = Precision.Float32, TorchSharp.torch.Generator? generator = null)
        where TConfig : class
        where TNetwork : TorchSharp.torch.nn.Module, INetwork<TConfig, TNetwork>
    {
        var network = format.Create(config, weights, generator, newHead: false, precision);
        try
        {
            CheckpointLoader.Load(network, weights, Dialect.For(weights, format.Dialects(config)));
            network.eval();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}
