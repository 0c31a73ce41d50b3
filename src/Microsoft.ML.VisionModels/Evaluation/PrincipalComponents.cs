using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>The directions in which vectors differ the most.</summary>
internal static class PrincipalComponents
{
    /// <summary>The vectors' coordinates along the first directions, [N, count]; zeros where they have fewer.</summary>
    public static Tensor Of(Tensor vectors, int count)
    {
        using var scope = NewDisposeScope();
        var (u, values, directions) = linalg.svd(vectors - vectors.mean([0], keepdim: true), fullMatrices: false);
        var known = Math.Min(count, values.shape[0]);
        // The sign of a direction is arbitrary: its largest value is positive.
        var signs = directions.gather(1, directions.abs().argmax(1, keepdim: true)).sign().squeeze(1);
        var coordinates = (u * values * signs).narrow(1, 0, known);
        return cat([coordinates, zeros(vectors.shape[0], count - known)], 1).MoveToOuterDisposeScope();
    }
}
