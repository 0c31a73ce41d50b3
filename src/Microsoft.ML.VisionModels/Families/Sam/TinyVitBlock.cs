using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>Attention within windows, a depthwise convolution by which windows learn of each other, and an MLP.</summary>
internal sealed class TinyVitBlock : nn.Module<Tensor, Tensor>
{
    private readonly LayerNorm norm1, norm2;
    private readonly Attention attn;
    private readonly TinyVitPositionBias position_bias;
    private readonly Conv2d local_conv;
    private readonly Mlp mlp;
    private readonly int _window;

    public TinyVitBlock(TransformerConfig config, int window) : base(nameof(TinyVitBlock))
    {
        _window = window;
        norm1 = Parameters.LayerNorm(config.Width, config.NormEps);
        attn = new(config, generator: null);
        position_bias = new(window, config.Heads);
        local_conv = new(config.Width, config.Width, kernel: 3, stride: 1, padding: 1, groups: config.Width);
        norm2 = Parameters.LayerNorm(config.Width, config.NormEps);
        mlp = new(config, generator: null);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)                                // [B, D, H, W]
    {
        using var scope = NewDisposeScope();
        x = x.permute(0, 2, 3, 1);                                          // [B, H, W, D]
        x = x.Add(Attend(x));
        x = local_conv.forward(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1);
        x = x.Add(mlp.forward(norm2.forward(x)));
        return x.permute(0, 3, 1, 2).MoveToOuterDisposeScope();             // [B, D, H, W]
    }

    /// <summary>Windows at the lower and right edge are filled up before the norm, so that the tokens there are its bias, and are looked at as all others.</summary>
    private Tensor Attend(Tensor x)
    {
        var windows = new WindowGrid((int)x.shape[1], (int)x.shape[2], _window, Shift: 0);
        var tokens = norm1.forward(windows.Partition(x));                   // [B n, T, D]
        return windows.Merge(attn.forward(tokens, position_bias.forward()));
    }
}

/// <summary>A learned number for each head and distance, down and across, which attention within a window adds to its scores.</summary>
internal sealed class TinyVitPositionBias : nn.Module
{
    private readonly Parameter table;
    private readonly int _window;
    private readonly long[] _distances;     // |i - j| for each two rows, or columns, of a window

    public TinyVitPositionBias(int window, int heads) : base(nameof(TinyVitPositionBias))
    {
        _window = window;
        _distances = [.. from i in Enumerable.Range(0, window) from j in Enumerable.Range(0, window) select (long)Math.Abs(i - j)];
        table = Parameters.Zeros(heads, window * window);
        RegisterComponents();
    }

    /// <returns>[1, heads, T, T] for the T tokens of a window, row by row.</returns>
    public Tensor forward()
    {
        var distances = tensor(_distances, device: table.device);           // [w w]
        return table.view(-1, _window, _window)                             // [heads, down, across]
            .index_select(1, distances)                                     // [heads, w w, across]
            .index_select(2, distances)                                     // [heads, w w, w w]: two rows, two columns
            .view(1, -1, _window, _window, _window, _window)
            .transpose(3, 4)                                                // [1, heads, w, w, w, w]: row and column, row and column
            .reshape(1, -1, _window * _window, _window * _window);
    }
}
