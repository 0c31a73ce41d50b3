using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class MixedPrecisionTests
{
    [Theory]
    [InlineData("ViT")]
    [InlineData("Swin")]
    [InlineData("SwinV2")]
    [InlineData("ResNet")]
    public void GradientsPointTheSameWay(string family)
    {
        using var scope = NewDisposeScope();
        // Red, green and blue: between images that are alike, gradients would be differences as small as the rounding.
        var pixels = randn([6, 3, 16, 16], generator: new Generator(3)).Add(eye(3).repeat(2, 1).view(6, 3, 1, 1).Mul(3));
        var (exact, exactLoss) = Gradients(mixed: false);
        var (rounded, loss) = Gradients(mixed: true);
        Assert.Equal(exactLoss, loss, 0.02);
        Assert.NotEqual(exactLoss, loss);
        Assert.Equal(ScalarType.Float32, rounded.dtype);
        var cosine = (exact * rounded).sum() / (exact.norm() * rounded.norm());
        Assert.InRange(cosine.item<float>(), 0.99f, 1);

        (Tensor Gradients, double Loss) Gradients(bool mixed)
        {
            using var model = Model(family);
            Tensor value;
            using (mixed ? MixedPrecision.Begin() : null)
            {
                var logits = ((IClassifierNetwork)model).Classify(pixels).Logits;
                Assert.Equal(mixed ? ScalarType.BFloat16 : ScalarType.Float32, logits.dtype);
                value = F.cross_entropy(logits.to(ScalarType.Float32), tensor(new long[] { 0, 1, 2, 0, 1, 2 }));
                value.backward();
            }
            Assert.False(MixedPrecision.Active);
            return (cat([.. model.parameters().Select(parameter => parameter.grad!.flatten())]), value.Item());
        }
    }

    private static nn.Module Model(string family) => family switch
    {
        "ViT" => new ViTNetwork(new() { ImageSize = 16, PatchSize = 4, Width = 32, Depth = 2, Heads = 2, MlpWidth = 64, Classes = 3 }).Drawn(new Generator(1)),
        "ResNet" => ResNet(),
        "Swin" => new SwinNetwork(TinySwin(SwinVersion.V1)).Drawn(new Generator(1)),
        _ => new SwinNetwork(TinySwin(SwinVersion.V2)).Drawn(new Generator(1)),
    };

    // By its running statistics: those of the last map, 24 values a channel, would enlarge the rounding.
    private static ResNetNetwork ResNet()
    {
        var network = new ResNetNetwork(ResNetConfig.Of(ResNetBlockKind.Basic, [1, 1, 1, 1], width: 16) with { SmallStem = true, Classes = 3 }).Drawn(new Generator(1));
        network.eval();
        return network;
    }

    private static SwinConfig TinySwin(SwinVersion version) => Tests.Swin.SwinNetworkTests.Tiny with { Version = version, ImageSize = 16, Classes = 3 };
}
