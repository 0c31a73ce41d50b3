using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

[Trait("Family", "Sam")]
public class TinyVitDialectTests
{
    private static readonly TinyVitConfig s_config = TinyVitEncoderTests.Tiny;

    [Fact]
    public void TheAuthorsNamesAreReadAndWritten()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var encoder = Drawn(seed: 1);
        CheckpointLoader.Save(encoder, TinyVitDialect.MobileSam(s_config), folder.File("a.safetensors"));

        using var file = Checkpoint.Open(folder.File("a.safetensors"));
        Assert.All(
            (string[])["patch_embed.seq.2.c.bias", "layers.0.blocks.0.conv2.c.weight", "layers.2.downsample.conv3.c.bias", "layers.1.blocks.0.attn.norm.weight",
                "layers.2.blocks.1.attn.attention_biases", "layers.2.blocks.1.local_conv.c.weight", "layers.3.blocks.0.mlp.norm.bias", "neck.2.weight", "neck.3.bias"],
            name => Assert.Contains(name, file.Tensors.Keys));
        using var copy = Drawn(seed: 2);
        CheckpointLoader.Load(copy, new TinyVitFoldedCheckpoint(file), TinyVitDialect.MobileSam(s_config));
        Assert.All(encoder.state_dict(), entry => Assert.True(entry.Value.equal(copy.state_dict()[entry.Key]).all().item<bool>(), entry.Key));

        // Two heads of 8: the query of the second stands after the value of the first.
        var ours = encoder.state_dict()["stages.1.blocks.0.attn.qkv.weight"];
        var theirs = file.Read("layers.1.blocks.0.attn.qkv.weight");
        TensorAssert.Close(ours[8..16], theirs[24..32]);
        TensorAssert.Close(ours[32..40], theirs[16..24]);
    }

    [Theory]
    [InlineData("", "a.safetensors")]
    [InlineData("image_encoder.", "b.safetensors")]
    public void BatchNormsAreFoldedIntoTheirConvolutions(string prefix, string name)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        using var encoder = Drawn(seed: 1);
        var tensors = Unfolded(encoder, new Generator(5)).Select(tensor => (prefix + tensor.Name, tensor.Value)).ToList();
        Assert.Equal(2 + 3 + 3 * 3 + 4, tensors.Count(tensor => tensor.Item1.EndsWith(".bn.running_var", StringComparison.Ordinal)));    // stem, block, mergings, local
        // What MobileSAM's whole file has besides, and TinyViT's older ones.
        if (prefix.Length > 0)
            tensors.AddRange([("image_encoder.norm_head.weight", zeros(32)), ("image_encoder.head.bias", zeros(1000)), ("mask_decoder.iou_token.weight", zeros(1, 4)), ("prompt_encoder.point_embeddings.0.weight", zeros(1, 4))]);
        tensors.AddRange([(prefix + "layers.1.blocks.0.attn.attention_bias_idxs", zeros(9, 9, dtype: int64)), (prefix + "layers.1.blocks.0.attn.ab", zeros(2, 9, 9))]);
        SafetensorsWriter.Write(folder.File(name), tensors);

        using var file = Checkpoint.Open(folder.File(name));
        using var loaded = Drawn(seed: 2);
        Assert.Empty(CheckpointLoader.Load(loaded, new TinyVitFoldedCheckpoint(file), TinyVitDialect.MobileSam(s_config)));
        foreach (var (key, value) in encoder.state_dict())
            TensorAssert.Close(value, loaded.state_dict()[key], 1e-6);
        var pixels = randn(1, 3, 40, 32, generator: new Generator(3));
        TensorAssert.Close(encoder.forward(pixels), loaded.forward(pixels), 1e-5);
    }

    [Fact]
    public void TheFoldIsTheBatchNorm()
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var generator = new Generator(1);
        Tensor Numbers() => rand(6, generator: generator).Add(0.01);
        var (weight, scale, offset, mean, variance) = (randn(6, 1, 3, 3, generator: generator), Numbers(), Numbers(), Numbers(), Numbers().Mul(1e-3));
        SafetensorsWriter.Write(folder.File("a.safetensors"), [("x.c.weight", weight), ("x.bn.weight", scale), ("x.bn.bias", offset), ("x.bn.running_mean", mean), ("x.bn.running_var", variance), ("x.bn.num_batches_tracked", tensor(7L))]);
        using var file = Checkpoint.Open(folder.File("a.safetensors"));
        var folded = new TinyVitFoldedCheckpoint(file);
        Assert.Equal(["x.c.weight", "x.c.bias"], folded.Tensors.Keys);

        var x = randn(2, 6, 5, 5, generator: generator);
        var expected = nn.functional.batch_norm(nn.functional.conv2d(x, weight, null, groups: 6), mean, variance, scale, offset, training: false);
        TensorAssert.Close(expected, nn.functional.conv2d(x, folded.Read("x.c.weight"), folded.Read("x.c.bias"), groups: 6), 1e-5);
    }

    [Fact]
    public void WhatIsMissingUnknownOrMisshapenIsNamed()
    {
        using var scope = NewDisposeScope();
        using var encoder = Drawn(seed: 1);
        var tensors = Unfolded(encoder, new Generator(5)).ToDictionary(tensor => tensor.Name, tensor => tensor.Value);

        var variance = tensors["patch_embed.seq.0.bn.running_var"];
        tensors.Remove("patch_embed.seq.0.bn.running_var");
        tensors["layers.1.blocks.0.local_conv.bn.weight"] = zeros(7);
        Assert.Contains("missing: 'patch_embed.seq.0.bn.running_var' [8]", Error(tensors));
        Assert.Contains("mis-shaped: 'layers.1.blocks.0.local_conv.bn.weight' is [7], expected [16]", Error(tensors));

        tensors["patch_embed.seq.0.bn.running_var"] = variance;
        tensors["layers.1.blocks.0.local_conv.bn.weight"] = ones(16);
        tensors["layers.0.blocks.0.conv2.c.bias"] = ones(32);       // a convolution that has a bias has no batch norm
        tensors["layers.7.conv.bn.weight"] = ones(3);
        tensors["neck.0.weight"] = zeros(16, 31, 1, 1);
        tensors.Remove("layers.3.blocks.0.attn.attention_biases");
        var message = Error(tensors);
        Assert.Contains("unknown: 'layers.0.blocks.0.conv2.bn.running_mean' [32]", message);
        Assert.Contains("unknown: 'layers.7.conv.bn.weight' [3]", message);
        Assert.Contains("mis-shaped: 'neck.0.weight' is [16, 31, 1, 1], expected [16, 32, 1, 1]", message);
        Assert.Contains("missing: 'layers.3.blocks.0.attn.attention_biases' [4, 9]", message);

        string Error(Dictionary<string, Tensor> tensors)
        {
            using var folder = TestFolders.Temporary();
            SafetensorsWriter.Write(folder.File("a.safetensors"), tensors.Select(tensor => (tensor.Key, tensor.Value)));
            using var file = Checkpoint.Open(folder.File("a.safetensors"));
            return Assert.Throws<CheckpointException>(() => CheckpointLoader.Load(encoder, new TinyVitFoldedCheckpoint(file), TinyVitDialect.MobileSam(s_config))).Message;
        }
    }

    /// <summary>The encoder's tensors in the authors' names, with a batch norm of random statistics taken out of each of their convolutions that has one.</summary>
    private static IEnumerable<(string Name, Tensor Value)> Unfolded(TinyVitEncoder encoder, Generator generator)
    {
        using var folder = TestFolders.Temporary();
        CheckpointLoader.Save(encoder, TinyVitDialect.MobileSam(s_config), folder.File("folded.safetensors"));
        using var folded = Checkpoint.Open(folder.File("folded.safetensors"));
        foreach (var name in folded.Tensors.Keys)
        {
            if (name.EndsWith(".c.bias", StringComparison.Ordinal))
                continue;
            if (!name.EndsWith(".c.weight", StringComparison.Ordinal))
            {
                yield return (name, folded.Read(name));
                continue;
            }
            var layer = name[..^".c.weight".Length];
            var bias = folded.Read(layer + ".c.bias");
            var (scale, mean, variance) = (rand(bias.shape, generator: generator).Add(0.5), randn(bias.shape, generator: generator), rand(bias.shape, generator: generator).Add(0.1));
            var factor = scale / variance.Add(1e-5).sqrt();
            yield return (name, folded.Read(name) / factor.view(-1, 1, 1, 1));
            yield return (layer + ".bn.weight", scale);
            yield return (layer + ".bn.bias", bias.Add(mean * factor));
            yield return (layer + ".bn.running_mean", mean);
            yield return (layer + ".bn.running_var", variance);
            yield return (layer + ".bn.num_batches_tracked", tensor(7L));
        }
    }

    private static TinyVitEncoder Drawn(ulong seed)
    {
        using var generator = new Generator(seed);
        var encoder = new TinyVitEncoder(s_config).Initialize(generator);
        foreach (var (_, table) in encoder.named_parameters().Where(parameter => parameter.name.EndsWith(".table", StringComparison.Ordinal)))
            Initialization.Normal(table, 1, generator);
        return encoder;
    }
}
