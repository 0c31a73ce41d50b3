using Microsoft.ML.VisionModels.Core;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// What a linear layer learns while its own weights stay: "LoRA: Low-Rank Adaptation of Large Language Models" (arXiv 2106.09685), 4.1. To the
/// layer's output comes scale * up(down(x)). Of a layer that is several in one, such as queries, keys and values, each has its own two.
/// </summary>
internal sealed class LowRank : nn.Module<Tensor, Tensor>
{
    private readonly Linear down;               // [parts rank, inputs]
    private readonly ModuleList<Linear> up;     // of each part [outputs / parts, rank]
    private readonly int _rank;
    private readonly double _scale;

    public LowRank(int inputs, int outputs, int parts, int rank, double scale) : base(nameof(LowRank))
    {
        (_rank, _scale) = (rank, scale);
        down = new(inputs, parts * rank, hasBias: false);
        up = [.. Enumerable.Range(0, parts).Select(_ => new Linear(rank, outputs / parts, hasBias: false))];
        RegisterComponents();
    }

    /// <summary>The matrices of each part: down [rank, inputs], and up [outputs / parts, rank], with the scale in it.</summary>
    public IEnumerable<(Tensor Down, Tensor Up)> Factors => up.Select((layer, part) => (down.weight.narrow(0, part * _rank, _rank), layer.weight.Mul(_scale)));

    public override Tensor forward(Tensor x)                    // [..., inputs] -> [..., outputs]
    {
        var thin = down.forward(x);                             // [..., parts rank]
        return cat([.. up.Select((layer, part) => layer.forward(thin.narrow(-1, part * _rank, _rank)))], -1).Mul(_scale);
    }

    /// <summary>Draws the first matrix as PyTorch does, and makes the second zero: nothing is changed yet.</summary>
    public void Draw(Generator generator)
    {
        Initialization.FanInUniform(down.weight, down.weight.shape[1], generator);
        foreach (var layer in up)
            Initialization.Zero(layer.weight);
    }
}
