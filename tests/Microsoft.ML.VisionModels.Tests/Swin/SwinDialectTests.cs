using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Swin;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Swin;

public class SwinDialectTests
{
    private static readonly SwinConfig s_three = SwinNetworkTests.Tiny with { Depths = [2, 1, 1], Heads = [2, 4, 4] };

    [Theory]
    [InlineData("Hugging Face", 1, "swin.encoder.layers.0.blocks.1.attention.self.relative_position_bias_table", "swin.encoder.layers.1.downsample.reduction.weight", "classifier.weight")]
    [InlineData("Hugging Face", 2, "swinv2.encoder.layers.0.blocks.1.attention.self.continuous_position_bias_mlp.2.weight", "swinv2.encoder.layers.0.blocks.0.attention.self.value.bias", "classifier.weight")]
    [InlineData("Microsoft", 1, "layers.0.blocks.1.attn.relative_position_bias_table", "layers.1.downsample.reduction.weight", "head.weight")]
    [InlineData("Microsoft", 2, "layers.0.blocks.1.attn.cpb_mlp.2.weight", "layers.0.blocks.0.attn.v_bias", "head.weight")]
    [InlineData("timm", 1, "layers.0.blocks.1.attn.relative_position_bias_table", "layers.2.downsample.reduction.weight", "head.fc.weight")]
    [InlineData("timm", 2, "layers.0.blocks.1.attn.cpb_mlp.2.weight", "layers.0.blocks.0.attn.q_bias", "head.fc.weight")]
    public void EveryPublishersNamesAreReadAndWritten(string publisher, int version, params string[] names)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var config = s_three with { Version = SwinNetworkTests.Number(version) };
        using var network = new SwinNetwork(config).Drawn(new Generator(3));
        var dialect = SwinDialect.All(config).Single(dialect => dialect.Name == publisher);
        CheckpointLoader.Save(network, dialect, folder.File("model.safetensors"));

        using var checkpoint = Checkpoint.Open(folder.File("model.safetensors"));
        Assert.All(names, name => Assert.Contains(name, checkpoint.Tensors.Keys));
        Assert.Equal(publisher, Dialect.For(checkpoint, SwinDialect.All(config)).Name);
        using var other = new SwinNetwork(config).Drawn(new Generator(4));
        CheckpointLoader.Load(other, checkpoint, dialect);
        Assert.All(network.state_dict(), entry => Assert.True(entry.Value.equal(other.state_dict()[entry.Key]).all().item<bool>(), entry.Key));
    }

    [Fact]
    public void BuffersOfOlderFilesAreLeftAloneAndAllElseIsAnError()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var network = new SwinNetwork(s_three).Drawn(new Generator(3));
        var dialect = SwinDialect.Microsoft(s_three);
        var tensors = network.state_dict().SelectMany(entry => dialect.Map(entry.Key, entry.Value.shape, "").Parts.Select(part => (part, entry.Value))).ToList();
        SafetensorsWriter.Write(folder.File("with.safetensors"), [.. tensors, ("layers.0.blocks.1.attn_mask", zeros(1)), ("layers.0.blocks.0.attn.relative_position_index", zeros(1))]);
        using (var checkpoint = Checkpoint.Open(folder.File("with.safetensors")))
            Assert.Empty(CheckpointLoader.Load(network, checkpoint, dialect));

        SafetensorsWriter.Write(folder.File("more.safetensors"), [.. tensors, ("layers.0.blocks.7.norm1.weight", zeros(8))]);
        using var more = Checkpoint.Open(folder.File("more.safetensors"));
        Assert.Contains("layers.0.blocks.7.norm1.weight", Assert.Throws<CheckpointException>(() => CheckpointLoader.Load(network, more, dialect)).Message);
    }
}
