using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>
/// An autoencoder's work on a large image in tiles, one after the other, so that memory is that of a tile. Neighbors share a quarter of their
/// side, in which the one fades into the other. Reference implementation: diffusers' <c>AutoencoderKL</c>.
/// </summary>
internal static class AutoencoderTiles
{
    /// <summary>A tile's side is a multiple of so many places of the latents, a quarter of which is shared.</summary>
    public const int Quarters = 4;

    /// <param name="x">Images or latents, [B, C, H, W].</param>
    /// <param name="side">The side of a tile of them; null for the whole, as which also what is no larger than a tile is computed.</param>
    /// <param name="outputSide">The side of what a tile becomes.</param>
    /// <param name="compute">A half of the autoencoder.</param>
    /// <returns>[B, D, H', W'].</returns>
    public static Tensor Map(Tensor x, int? side, int? outputSide, Func<Tensor, Tensor> compute)
    {
        if (side is not { } tile || outputSide is not { } tileMade || (x.shape[2] <= tile && x.shape[3] <= tile))
            return compute(x);
        using var scope = NewDisposeScope();
        var (step, shared) = (tile - tile / Quarters, tileMade / Quarters);
        var rows = new List<Tensor>();
        Tensor[] above = [];
        for (long top = 0; top < x.shape[2]; top += step)
        {
            var tiles = new List<Tensor>();
            for (long left = 0; left < x.shape[3]; left += step)
            {
                var made = compute(Part(Part(x, 2, top, tile), 3, left, tile));
                if (above.Length > 0)
                    Fade(above[tiles.Count], made, 2, shared);
                if (tiles.Count > 0)
                    Fade(tiles[^1], made, 3, shared);
                tiles.Add(made);
            }
            rows.Add(cat([.. tiles.Select(made => Part(Part(made, 2, 0, tileMade - shared), 3, 0, tileMade - shared))], 3));
            above = [.. tiles];
        }
        return cat(rows, 2).MoveToOuterDisposeScope();
    }

    private static Tensor Part(Tensor x, int dimension, long start, long length) => x.narrow(dimension, start, Math.Min(length, x.shape[dimension] - start));

    /// <summary>Lets the end of a tile fade into the beginning of the next, which holds the result.</summary>
    private static void Fade(Tensor before, Tensor next, int dimension, long length)
    {
        using var scope = NewDisposeScope();
        length = Math.Min(length, Math.Min(before.shape[dimension], next.shape[dimension]));
        var share = TensorArithmetic.Arange(length, next.device).to(next.dtype).Div(length).view(dimension == 2 ? [length, 1] : [length]);
        var start = next.narrow(dimension, 0, length);
        start.copy_(before.narrow(dimension, before.shape[dimension] - length, length).lerp(start, share));
    }
}
