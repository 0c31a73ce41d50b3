using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Parameter = TorchSharp.Modules.Parameter;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>What attention within a window adds to its scores, by the relative position of the two tokens.</summary>
internal abstract class PositionBias(string name) : nn.Module(name)
{
    /// <summary>[heads, T, T] for windows of T tokens.</summary>
    /// <param name="window">The side of the window.</param>
    public abstract Tensor For(int window);

    /// <summary>Draws the starting values.</summary>
    public abstract void Initialize(Generator generator);

    /// <summary>Values for each offset [offsets, heads] to values for each two tokens [heads, T, T].</summary>
    private protected static Tensor PerPair(Tensor offsets, int window, int table)
    {
        var tokens = window * window;
        return offsets.index_select(0, tensor(RelativePositions.Rows(window, table), device: offsets.device))
            .view(tokens, tokens, -1)           // [T, T, heads]
            .permute(2, 0, 1);
    }
}

/// <summary>V1: a learned number for each offset and head.</summary>
internal sealed class PositionBiasTable : PositionBias
{
    private Parameter table;
    private int _window;

    public PositionBiasTable(int window, int heads) : base(nameof(PositionBiasTable))
    {
        _window = window;
        table = Parameters.Empty(RelativePositions.Count(window), heads);
        RegisterComponents();
    }

    public override Tensor For(int window) => PerPair(table, window, _window);

    public override void Initialize(Generator generator) => Initialization.TruncatedNormal(table, SwinNetwork.InitialStd, generator);

    /// <summary>Resamples the table bicubically for windows of another size, as the authors' code does.</summary>
    public void Resize(int window)
    {
        if (window == _window)
            return;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (from, to) = (2 * _window - 1, 2 * window - 1);
        var resized = F.interpolate(table.t().view(1, -1, from, from),      // [1, heads, offsets down, offsets right]
                size: [to, to], mode: InterpolationMode.Bicubic, align_corners: false)
            .view(-1, to * to)
            .t()                                                            // [offsets, heads]
            .contiguous();
        table.Dispose();
        table = new Parameter(resized.DetachFromDisposeScope());
        ConditionallyRegisterParameter(nameof(table), table);
        _window = window;
    }
}

/// <summary>V2: a small MLP over the logarithm of the offset, so that windows of any size have biases.</summary>
internal sealed class ContinuousPositionBias : PositionBias
{
    private const int HiddenWidth = 512;
    private const double Largest = 16;

    private readonly Linear fc1, fc2;

    public ContinuousPositionBias(int heads, int pretrained) : base(nameof(ContinuousPositionBias))
    {
        PretrainedWindow = pretrained;
        fc1 = new(2, HiddenWidth);
        fc2 = new(HiddenWidth, heads, hasBias: false);
        RegisterComponents();
    }

    /// <summary>The side of the window by which offsets are measured; 0 for the present one, as 1, which has no offsets.</summary>
    public int PretrainedWindow { get; set; }

    public override Tensor For(int window)
    {
        var coordinates = tensor(RelativePositions.Coordinates(window, PretrainedWindow > 1 ? PretrainedWindow : window), device: fc1.weight.device)
            .to(fc1.weight.dtype)
            .view(-1, 2);                                                   // [offsets, 2]
        var biases = fc2.forward(fc1.forward(coordinates).relu()).sigmoid().Mul(Largest); // [offsets, heads]
        return PerPair(biases, window, window);
    }

    public override void Initialize(Generator generator) => Initialization.Fill(this, SwinNetwork.InitialStd, generator);
}
