using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

public class AutoencoderTests
{
    private static readonly AutoencoderKlConfig s_large = new() { Channels = [4, 8], Layers = 2, Down = [false, true], Up = [true, false], LatentChannels = 3, NormGroups = 2, ScalingFactor = 0.5, ShiftFactor = 0.1 };

    private static readonly TinyAutoencoderConfig s_tiny = new() { EncoderChannels = [8, 8], DecoderChannels = [8, 8], EncoderBlocks = [1, 2], DecoderBlocks = [2, 0], PoolGroups = 2 };

    public static TheoryData<string> Kinds => ["large", "tiny"];

    private static Autoencoder Filled(string kind)
    {
        Autoencoder network = kind == "tiny" ? new TinyAutoencoder(s_tiny) : new AutoencoderKl(s_large);
        Initialization.Fill(network, 0.2, new Generator(1));
        return network;
    }

    [Theory, MemberData(nameof(Kinds))]
    public void EveryParameterLearns(string kind)
    {
        using var scope = NewDisposeScope();
        using var network = Filled(kind);
        var images = rand([2, 3, 8, 12], generator: new Generator(2));
        var noise = randn([2, network.LatentChannels, 4, 6], generator: new Generator(3));
        var latents = network.ToLatents(images, noise);
        Assert.Equal([2, network.LatentChannels, 8 / network.Downscale, 12 / network.Downscale], latents.shape);
        var output = network.ToImages(latents);
        Assert.Equal(images.shape, output.shape);
        (output - images).abs().mean().backward();
        Assert.All(network.named_parameters(), entry =>
            Assert.True(entry.parameter.grad?.count_nonzero().item<long>() > 0 && entry.parameter.grad.isfinite().all().item<bool>(), entry.name));
    }

    /// <summary>What the encoder and the decoder scale and shift is undone by each other.</summary>
    [Fact]
    public void LatentsAreScaledAndShifted()
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        using var network = (AutoencoderKl)Filled("large");
        var images = rand([1, 3, 8, 8], generator: new Generator(2));
        var mean = new LatentDistribution(network.Moments(images)).Mean;
        TensorAssert.Close(mean.Sub(0.1).Mul(0.5), network.ToLatents(images));
        TensorAssert.Close(network.Decode(mean), network.ToImages(network.ToLatents(images)), 1e-5);
    }

    [Theory]
    [InlineData("down_block_types", "[\"AttnDownBlock2D\"]")]
    [InlineData("latents_mean", "[0.5]")]
    [InlineData("block_out_channels", "[33]")]
    [InlineData("up_block_types", "[\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"]")]
    [InlineData("scaling_factor", "0")]
    [InlineData("_class_name", "\"VQModel\"")]
    public void WhatIsNotBuiltIsRefusedByName(string key, string value) => AssertRefused(key, value, config => AutoencoderKlConfig.FromDiffusers(config));

    [Theory]
    [InlineData("upsample_fn", "\"bilinear\"")]
    [InlineData("encoder_block_out_channels", "[64, 32, 64, 64]")]
    [InlineData("num_decoder_blocks", "[3, 1]")]
    [InlineData("latent_magnitude", "0")]
    [InlineData("_class_name", "\"AutoencoderKL\"")]
    public void WhatATinyOneHasNotIsRefusedByName(string key, string value) => AssertRefused(key, value, config => TinyAutoencoderConfig.FromDiffusers(config));

    private static void AssertRefused(string key, string value, Func<JsonElement, object> read)
    {
        var config = JsonSerializer.SerializeToElement(new JsonObject { [key] = JsonNode.Parse(value) });
        var refused = Assert.ThrowsAny<Exception>(() => read(config));
        Assert.True(refused is CheckpointException or ArgumentException, refused.ToString());
        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }
}
