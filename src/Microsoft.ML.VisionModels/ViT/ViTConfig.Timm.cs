using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.ViT;

internal sealed partial record ViTConfig
{
    /// <summary>
    /// This network with the number of classes and the picture size of a checkpoint in timm's names: such a file has no configuration beside it,
    /// and these two differ between the files of one preset. The grid is taken to be square.
    /// </summary>
    /// <exception cref="CheckpointException">The file's positions are not those of a square picture.</exception>
    public ViTConfig FittedTo(Checkpoint timm)
    {
        int? Rows(string name, int dimension) => timm.Tensors.TryGetValue(name, out var info) && info.Shape.Count > dimension ? (int)info.Shape[dimension] : null;

        var config = this with { Classes = Rows("head.weight", 0) };
        if (Rows("pos_embed", 1) is not { } rows)
            return config;
        var side = (int)Math.Round(Math.Sqrt(rows - PositionedTokens));
        if (side == 0 || side * side != rows - PositionedTokens)
            throw new CheckpointException($"{timm.Path}: 'pos_embed' has {rows} rows, which are not {PositionedTokens} and a square grid.");
        return config with { ImageSize = new(side * PatchSize.Height, side * PatchSize.Width) };
    }
}
