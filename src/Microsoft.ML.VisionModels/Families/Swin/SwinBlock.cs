using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>Attention within windows and an MLP, each on a residual branch with its layer norm: at the branch's start in V1, at its end in V2.</summary>
internal sealed class SwinBlock : nn.Module
{
    private readonly LayerNorm norm1, norm2;
    private readonly Attention attn;
    private readonly PositionBias position_bias;
    private readonly Mlp mlp;
    private readonly DropPath _dropPath;
    private readonly bool _normAtEnd;

    public SwinBlock(SwinConfig config, int stage, int index, Generator? generator) : base(nameof(SwinBlock))
    {
        var layer = config.StageConfig(stage);
        _normAtEnd = config.Version == SwinVersion.V2;
        norm1 = Parameters.LayerNorm(layer.Width, layer.NormEps);
        attn = new(layer, generator);
        position_bias = _normAtEnd
            ? new ContinuousPositionBias(layer.Heads, config.PretrainedWindows.ElementAtOrDefault(stage))
            : new PositionBiasTable(config.WindowSize, layer.Heads);
        norm2 = Parameters.LayerNorm(layer.Width, layer.NormEps);
        mlp = new(layer, generator);
        _dropPath = new(config.DropPathOf(config.FirstBlockOf(stage) + index), generator);
        RegisterComponents();
    }

    public PositionBias PositionBias => position_bias;

    /// <param name="x">Tokens [B, H, W, D].</param>
    /// <param name="windows">How they are cut into windows.</param>
    /// <param name="shiftMask">Its <see cref="WindowGrid.ShiftMask"/>.</param>
    /// <param name="trace">Takes <c>attentions</c>, the probabilities [B n, heads, T, T], where it wants them.</param>
    /// <returns>[B, H, W, D].</returns>
    public Tensor forward(Tensor x, WindowGrid windows, Tensor? shiftMask, Trace? trace)
    {
        using var scope = NewDisposeScope();
        if (_normAtEnd)
        {
            x = x.Add(_dropPath.forward(Normalize(norm1, Attend(x, windows, shiftMask, trace))));
            x = x.Add(_dropPath.forward(Normalize(norm2, mlp.forward(x))));
        }
        else
        {
            x = x.Add(_dropPath.forward(Attend(norm1.forward(x), windows, shiftMask, trace)));
            x = x.Add(_dropPath.forward(mlp.forward(norm2.forward(x))));
        }
        return x.MoveToOuterDisposeScope();
    }

    // Norms stay in their own precision, whatever the products before them have.
    private static Tensor Normalize(LayerNorm norm, Tensor x) => norm.forward(x.to(norm.weight.dtype));

    /// <summary>Ordinary attention, with windows for sequences and the position bias for a mask.</summary>
    private Tensor Attend(Tensor x, WindowGrid windows, Tensor? shiftMask, Trace? trace)
    {
        var mask = position_bias.For(windows.Window).unsqueeze(0);      // [1, heads, T, T]
        if (shiftMask is not null)
            mask = mask.Add(shiftMask);                                    // [n, heads, T, T]
        var tokens = windows.Partition(x);                              // [B n, T, D]
        if (trace?.Wants("attentions") is not true)
            return windows.Merge(attn.forward(tokens, mask));
        var (output, probabilities) = attn.ForwardWithProbabilities(tokens, mask);
        trace.Add("attentions", probabilities);
        return windows.Merge(output);
    }

    /// <summary>Draws every weight.</summary>
    public void Initialize(double std, Generator generator)
    {
        Initialization.Fill(attn, std, generator);
        Initialization.Fill(mlp, std, generator);
        position_bias.Initialize(generator);
        // V2's branches begin as nothing, as in the authors' code: what they add is as large as their norm says, whatever the depth.
        if (_normAtEnd)
        {
            Initialization.Zero(norm1.weight);
            Initialization.Zero(norm2.weight);
        }
    }
}
