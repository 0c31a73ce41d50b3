using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>Makes one token of each four by four pixels, by two convolutions whose windows overlap.</summary>
internal sealed class TinyVitStem : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1, conv2;

    public TinyVitStem(TinyVitConfig config) : base(nameof(TinyVitStem))
    {
        conv1 = new(config.Channels, config.Widths[0] / 2, kernel: 3, stride: 2, padding: 1);
        conv2 = new(config.Widths[0] / 2, config.Widths[0], kernel: 3, stride: 2, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor pixels)                       // [B, C, H, W]
    {
        using var scope = NewDisposeScope();
        var x = pixels.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);    // channels innermost in memory, from here on: convolutions are faster
        x = Activation.Gelu.Apply(conv1.forward(x));                    // [B, D / 2, H / 2, W / 2]
        return conv2.forward(x).MoveToOuterDisposeScope();              // [B, D, H / 4, W / 4]
    }
}

/// <summary>MobileNet's inverted residual (arXiv 1801.04381): a depthwise convolution among more channels. The activation follows the sum.</summary>
internal sealed class TinyVitConvBlock : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1, conv2, conv3;

    public TinyVitConvBlock(TinyVitConfig config) : base(nameof(TinyVitConvBlock))
    {
        var (width, expanded) = (config.Widths[0], config.ExpandedWidth);
        conv1 = new(width, expanded, kernel: 1, stride: 1);
        conv2 = new(expanded, expanded, kernel: 3, stride: 1, padding: 1, groups: expanded);
        conv3 = new(expanded, width, kernel: 1, stride: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)                            // [B, D, H, W]
    {
        using var scope = NewDisposeScope();
        var hidden = Activation.Gelu.Apply(conv1.forward(x));           // [B, 4 D, H, W]
        hidden = Activation.Gelu.Apply(conv2.forward(hidden));
        return Activation.Gelu.Apply(conv3.forward(hidden).Add(x)).MoveToOuterDisposeScope();
    }
}

/// <summary>Leads from one stage to the next: other channels, and with a stride of two a quarter of the tokens.</summary>
internal sealed class TinyVitMerging : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1, conv2, conv3;

    public TinyVitMerging(int inputs, int outputs, int stride) : base(nameof(TinyVitMerging))
    {
        conv1 = new(inputs, outputs, kernel: 1, stride: 1);
        conv2 = new(outputs, outputs, kernel: 3, stride, padding: 1, groups: outputs);
        conv3 = new(outputs, outputs, kernel: 1, stride: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)                            // [B, D, H, W]
    {
        using var scope = NewDisposeScope();
        x = Activation.Gelu.Apply(conv1.forward(x));                    // [B, D', H, W]
        x = Activation.Gelu.Apply(conv2.forward(x));                    // [B, D', H / 2, W / 2]
        return conv3.forward(x).MoveToOuterDisposeScope();
    }
}
