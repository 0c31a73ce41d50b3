using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using BatchNorm = Microsoft.ML.VisionModels.Layers.BatchNorm;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;

namespace Microsoft.ML.VisionModels.Families.ResNet;

/// <summary>Two or three convolutions on a residual branch, whose input is added to what they give.</summary>
internal sealed class ResNetBlock : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1, conv2;
    private readonly Conv2d? conv3;
    private readonly BatchNorm bn1, bn2;
    private readonly BatchNorm? bn3;
    private readonly Sequential? downsample;        // a projection, where the sum needs one
    private readonly DropPath _dropPath;
    private readonly Activation _activation;

    /// <param name="config">The hyper-parameters.</param>
    /// <param name="stage">From 0.</param>
    /// <param name="index">The block's place in its stage.</param>
    /// <param name="generator">The source of drop path while training.</param>
    public ResNetBlock(ResNetConfig config, int stage, int index, Generator? generator) : base(nameof(ResNetBlock))
    {
        var outputs = config.Widths[stage];
        var inputs = index > 0 ? outputs : stage > 0 ? config.Widths[stage - 1] : config.Width;
        var stride = index == 0 ? config.StrideOf(stage) : 1;
        if (config.Block == ResNetBlockKind.Basic)
        {
            (conv1, bn1) = (Convolution(inputs, outputs, 3, stride), new(outputs));
            (conv2, bn2) = (Convolution(outputs, outputs, 3), new(outputs));
        }
        else
        {
            var inner = outputs / ResNetConfig.Expansion;
            var (first, second) = config.DownsampleInBottleneck ? (stride, 1) : (1, stride);
            (conv1, bn1) = (Convolution(inputs, inner, 1, first), new(inner));
            (conv2, bn2) = (Convolution(inner, inner, 3, second), new(inner));
            (conv3, bn3) = (Convolution(inner, outputs, 1), new(outputs));
        }
        if (stride != 1 || inputs != outputs)
            downsample = nn.Sequential(("0", Convolution(inputs, outputs, 1, stride)), ("1", new BatchNorm(outputs)));
        _dropPath = new(config.DropPathOf(config.FirstBlockOf(stage) + index), generator);
        _activation = config.Activation;
        RegisterComponents();
    }

    /// <summary>A convolution that keeps the size, but for its stride, and leaves offsets to the norm after it.</summary>
    internal static Conv2d Convolution(int inputs, int outputs, int kernel, int stride = 1) =>
        new(inputs, outputs, kernel, stride, padding: kernel / 2, hasBias: false);

    public override Tensor forward(Tensor x)                                // [B, C, H, W]
    {
        using var scope = NewDisposeScope();
        var branch = _activation.Apply(bn1.forward(conv1.forward(x)));
        branch = bn2.forward(conv2.forward(branch));                        // [B, D, H / stride, W / stride], or D / 4 in a bottleneck
        if (conv3 is not null)
            branch = bn3!.forward(conv3.forward(_activation.Apply(branch)));    // [B, D, H / stride, W / stride]
        var sum = (downsample?.forward(x) ?? x).Add(_dropPath.forward(branch));
        return _activation.Apply(sum).MoveToOuterDisposeScope();
    }
}
