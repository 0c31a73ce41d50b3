using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ViT;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.ViT;

[Trait("Category", "RealData")]
[Trait("Family", "ViT")]
public class ViTRealDataTests
{
    [Fact]
    public void TimmsViTTinyLoadsStrictly()
    {
        using var checkpoint = Checkpoint.Open(TestFolders.Data("vit-tiny-imagenet/vit_tiny_patch16_224.safetensors"));
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = new ViTNetwork(ViTConfig.Of(ViTPreset.Tiny16) with { Classes = 1000 });
        Assert.Same(ViTDialect.Timm, Dialect.For(checkpoint, ViTDialect.HuggingFace(network.Config), ViTDialect.Timm));
        CheckpointLoader.Load(network, checkpoint, ViTDialect.Timm);
        network.eval();

        var probabilities = network.forward(randn(2, 3, 224, 224, generator: new Generator(1))).softmax(-1);
        Assert.True(probabilities.isfinite().all().item<bool>());
        Assert.True(probabilities.std().item<float>() > 1e-4f);
    }
}
