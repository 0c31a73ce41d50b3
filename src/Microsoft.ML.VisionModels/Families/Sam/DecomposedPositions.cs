using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>
/// How the places of a square lie to one another, as a query sees it: a learned vector for each distance down and one for each
/// distance to the right, both multiplied with the query (MViTv2, arXiv 2112.01526).
/// </summary>
internal sealed class DecomposedPositions : nn.Module<Tensor, Tensor>
{
    internal Parameter height, width;       // [2 S - 1, D / heads], from the farthest above (or left) to the farthest below (right)
    private readonly int _side;

    public DecomposedPositions(int side, int headWidth) : base(nameof(DecomposedPositions))
    {
        (height, width) = (Parameters.Zeros(2 * side - 1, headWidth), Parameters.Zeros(2 * side - 1, headWidth));
        _side = side;
        RegisterComponents();
    }

    /// <param name="q">Queries [B, heads, S S, D / heads], not scaled.</param>
    /// <returns>What is added to the scores, [B, heads, S S, S S].</returns>
    public override Tensor forward(Tensor q)
    {
        using var scope = NewDisposeScope();
        var (batch, heads, tokens) = (q.shape[0], q.shape[1], q.shape[2]);
        var places = q.reshape(-1, _side, _side, q.shape[3]);                                   // [B heads, S, S, D / heads]
        var down = einsum("byxd,ykd->byxk", places, Distances(height)).unsqueeze(-1);           // [B heads, S, S, S, 1]
        var right = einsum("byxd,xkd->byxk", places, Distances(width)).unsqueeze(-2);           // [B heads, S, S, 1, S]
        return down.Add(right).reshape(batch, heads, tokens, tokens).MoveToOuterDisposeScope();
    }

    /// <summary>The vector for each query's and each key's row (or column), [S, S, D / heads].</summary>
    private Tensor Distances(Parameter table)
    {
        var places = TensorArithmetic.Arange(_side, table.device);
        var distances = places.unsqueeze(1) - places.unsqueeze(0);                              // [S, S], from 1 - S to S - 1
        return table.index_select(0, (distances - distances.min()).flatten()).view(_side, _side, -1);
    }
}
