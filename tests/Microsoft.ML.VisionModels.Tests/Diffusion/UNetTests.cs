using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

public class UNetTests
{
    /// <summary>A network without words and one with all that a network can be told.</summary>
    public static TheoryData<string> Networks => ["plain", "classes", "timestep", "words", "everything"];

    private static UNetConfig ConfigOf(string network)
    {
        var plain = new UNetConfig
        {
            Channels = [8, 12], Layers = [1, 2], Down = [StageAttention.None, StageAttention.Places], Up = [StageAttention.Places, StageAttention.None],
            Heads = [1, 3], Depths = [1, 1], OnlyCrossAttention = [false, false], NormGroups = 4,
        };
        var words = plain with { Down = [StageAttention.Words, StageAttention.None], Up = [StageAttention.None, StageAttention.Words], Heads = [2, 3], ContextWidths = [6, 6] };
        return network switch
        {
            "plain" => plain,
            "classes" => plain with { ClassEmbedding = ClassEmbedding.Table, Classes = 3, ScaleShift = true, MiddleNormGroups = 3, Middle = UNetMiddle.Attention },
            "timestep" => plain with { ClassEmbedding = ClassEmbedding.Time, Middle = UNetMiddle.Blocks },
            "words" => words,
            _ => words with
            {
                OnlyCrossAttention = [true, false], Depths = [2, 1], UpDepths = [1, 3], SizeWidth = 4, ProjectionWidth = 24 + 5, GuidanceWidth = 7, LinearProjection = true,
                ClassEmbedding = ClassEmbedding.Vector, InputKernel = 1, OutputKernel = 5, TimeWidth = 20, Middle = UNetMiddle.Attention,
            },
        };
    }

    private static UNet Drawn(UNetConfig config, Generator? generator = null)
    {
        var network = new UNet(config, generator);
        var seeded = new Generator(1);
        network.Draw(seeded);
        foreach (var parameter in network.parameters().Where(parameter => parameter.dim() > 1 && parameter.count_nonzero().item<long>() == 0))
            Initialization.Normal(parameter, 0.1, seeded);      // what begins as zero would hide what is before it
        return network;
    }

    private static UNetGuidance Guidance(UNetConfig config, int batch, Generator generator) => new()
    {
        Words = config.KnowsWords ? randn([batch, 5, config.ContextWidths![0]], generator: generator) : null,
        WordsMask = config.SizeWidth is null ? null : tensor(new long[] { 1, 1, 1, 0, 0 }).expand(batch, -1),
        Classes = config.ClassEmbedding switch
        {
            ClassEmbedding.None => null,
            ClassEmbedding.Vector => randn([batch, config.TimeVectorWidth], generator: generator),
            _ => TensorArithmetic.Arange(batch),
        },
        Text = config.SizeWidth is null ? null : randn([batch, 5], generator: generator),
        Sizes = config.SizeWidth is null ? null : rand([batch, 6], generator: generator).Mul(512.0),
        Strength = config.GuidanceWidth is { } width ? randn([batch, width], generator: generator) : null,
    };

    private static Tensor Forward(UNet network, Generator generator) =>
        network.forward(randn([2, 3, 8, 12], generator: generator), tensor(new long[] { 3, 700 }), Guidance(network.Config, 2, generator));

    [Theory, MemberData(nameof(Networks))]
    public void EveryParameterLearns(string name)
    {
        using var scope = NewDisposeScope();
        using var network = Drawn(ConfigOf(name));
        var output = Forward(network, new Generator(2));
        Assert.Equal([2, 3, 8, 12], output.shape);
        (output * output).mean().backward();
        Assert.All(network.named_parameters(), entry =>
            Assert.True(entry.parameter.grad?.count_nonzero().item<long>() > 0 && entry.parameter.grad.isfinite().all().item<bool>(), entry.name));
    }

    [Theory, MemberData(nameof(Networks))]
    public void CheckpointingGivesTheSameGradients(string name)
    {
        using var scope = NewDisposeScope();
        var (expected, actual) = (Gradients(checkpointing: false), Gradients(checkpointing: true));
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.All(expected, entry => TensorAssert.Close(entry.Value, actual[entry.Key], 1e-5));

        Dictionary<string, Tensor> Gradients(bool checkpointing)
        {
            var network = Drawn(ConfigOf(name) with { Dropout = 0.2 }, new Generator(5));
            network.GradientCheckpointing = checkpointing;
            var output = Forward(network, new Generator(2));
            (output * output).mean().backward();
            GradientCheckpointing.ThrowIfFailed();
            return network.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.grad!);
        }
    }

    /// <summary>In training products are of 16 bits, in scoring weights may be, too.</summary>
    [Theory, MemberData(nameof(Networks))]
    public void ComputesIn16Bits(string name)
    {
        using var scope = NewDisposeScope();
        using var network = Drawn(ConfigOf(name));
        var expected = Forward(network, new Generator(2)).detach();
        using (MixedPrecision.Begin())
        {
            var mixed = Forward(network, new Generator(2)).to(float32);
            (mixed * mixed).mean().backward();
            AssertNear(mixed.detach());
        }
        Assert.All(network.named_parameters(), entry => Assert.True(entry.parameter.grad is { dtype: ScalarType.Float32 } grad && grad.isfinite().all().item<bool>(), entry.name));

        using var inference = no_grad();
        network.to(bfloat16);
        var generator = new Generator(2);
        var sample = randn([2, 3, 8, 12], generator: generator).to(bfloat16);
        AssertNear(network.forward(sample, tensor(new long[] { 3, 700 }), Guidance(network.Config, 2, generator)).to(float32));

        void AssertNear(Tensor actual) => Assert.InRange(((actual - expected).norm() / expected.norm()).item<float>(), 1e-5f, 0.05f);
    }

    /// <summary>Halves are rounded on the way down, one way or the other, and found again on the way up.</summary>
    [Theory]
    [InlineData(0, 5, 9)]
    [InlineData(1, 5, 9)]
    [InlineData(1, 7, 6)]
    public void OddSizesComeBack(int padding, int height, int width)
    {
        using var scope = NewDisposeScope();
        using var network = Drawn(ConfigOf("plain") with { DownsamplePadding = padding });
        Assert.Equal([1, 3, height, width], network.forward(randn(1, 3, height, width), tensor(1L).view(1)).shape);
    }

    [Fact]
    public void ANewNetworkTellsNothing()
    {
        using var scope = NewDisposeScope();
        using var network = new UNet(ConfigOf("plain")).Drawn(new Generator(1));
        Assert.Equal(0, Forward(network, new Generator(2)).count_nonzero().item<long>());
    }

    [Fact]
    public void WhatIsMissingIsNamed()
    {
        using var scope = NewDisposeScope();
        var (sample, time) = (zeros(1, 3, 8, 8), tensor(1L).view(1));
        using var classes = Drawn(ConfigOf("classes"));
        Assert.Contains("classes", Assert.Throws<ArgumentException>(() => classes.forward(sample, time)).Message, StringComparison.Ordinal);
        using var words = Drawn(ConfigOf("words"));
        Assert.Contains("words", Assert.Throws<ArgumentException>(() => words.forward(sample, time)).Message, StringComparison.Ordinal);
        Assert.Contains("[batch, tokens, 6]", Assert.Throws<ArgumentException>(() => words.forward(sample, time, new() { Words = zeros(1, 5, 8) })).Message, StringComparison.Ordinal);
        Assert.Contains("[batch, 3, height, width]", Assert.Throws<ArgumentException>(() => words.forward(zeros(1, 4, 8, 8), time)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UNet2DModel", "time_embedding_type", "\"fourier\"")]
    [InlineData("UNet2DModel", "downsample_type", "\"resnet\"")]
    [InlineData("UNet2DModel", "resnet_time_scale_shift", "\"spatial\"")]
    [InlineData("UNet2DModel", "attention_head_dim", "9")]
    [InlineData("UNet2DModel", "down_block_types", "[\"SkipDownBlock2D\"]")]
    [InlineData("UNet2DModel", "up_block_types", "[\"UpBlock2D\"]")]
    [InlineData("UNet2DModel", "block_out_channels", "[]")]
    [InlineData("UNet2DModel", "norm_num_groups", "5")]
    [InlineData("UNet2DConditionModel", "norm_num_groups", "null")]
    [InlineData("UNet2DModel", "freq_shift", "4000")]
    [InlineData("UNet2DConditionModel", "dual_cross_attention", "true")]
    [InlineData("UNet2DConditionModel", "encoder_hid_dim", "64")]
    [InlineData("UNet2DConditionModel", "addition_embed_type", "\"image\"")]
    [InlineData("UNet2DConditionModel", "class_embed_type", "\"simple_projection\"")]
    [InlineData("UNet2DConditionModel", "class_embeddings_concat", "true")]
    [InlineData("UNet2DConditionModel", "num_attention_heads", "8")]
    [InlineData("UNet2DConditionModel", "mid_block_type", "\"UNetMidBlock2DSimpleCrossAttn\"")]
    [InlineData("UNet2DConditionModel", "transformer_layers_per_block", "[[1, 2], 1, 1, 1]")]
    [InlineData("UNet2DConditionModel", "cross_attention_dim", "[8, 8]")]
    [InlineData("UNet2DConditionModel", "only_cross_attention", "[0]")]
    [InlineData("UNet2DConditionModel", "_class_name", "\"UNet3DConditionModel\"")]
    public void WhatIsNotBuiltIsRefusedByName(string name, string key, string value)
    {
        var config = JsonSerializer.SerializeToElement(new JsonObject { ["_class_name"] = name, [key] = JsonNode.Parse(value) });
        var refused = Assert.ThrowsAny<Exception>(() => UNetConfig.FromDiffusers(config));
        Assert.True(refused is CheckpointException or ArgumentException, refused.ToString());
        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Widths of heads are of stages that have some.</summary>
    [Theory]
    [InlineData("false", "\"DownBlock2D\"", true)]
    [InlineData("true", "\"DownBlock2D\"", false)]
    [InlineData("false", "\"AttnDownBlock2D\"", false)]
    public void StagesWithoutAttentionNeedNoHeads(string middle, string down, bool isBuilt)
    {
        var json = $$"""{"_class_name": "UNet2DModel", "block_out_channels": [12], "norm_num_groups": 4, "down_block_types": [{{down}}], "up_block_types": ["UpBlock2D"], "add_attention": {{middle}}}""";
        var read = Record.Exception(() => UNetConfig.FromDiffusers(JsonDocument.Parse(json).RootElement));
        Assert.Equal(isBuilt, read is null);
    }

    [Theory]
    [InlineData("UNet2DModel")]
    [InlineData("UNet2DConditionModel")]
    public void AnEmptyConfigurationIsTheLibrarysDefault(string name) =>
        Assert.Equal(4, UNetConfig.FromDiffusers(JsonSerializer.SerializeToElement(new JsonObject { ["_class_name"] = name })).Stages);
}
