using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ViT;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>Networks as "prepare" wrote them.</summary>
internal static class Networks
{
    /// <summary>A ViT from a file in timm's names (which are this package's own), by the file's shapes and with heads of 64 channels.</summary>
    public static ViTNetwork Load(string path)
    {
        using var checkpoint = Checkpoint.Open(path);
        var patches = checkpoint.Tensors["patch_embed.proj.weight"].Shape; // [D, C, P, P]
        var width = (int)patches[0];
        var patch = (int)patches[2];
        var grid = (int)Math.Sqrt(checkpoint.Tensors["pos_embed"].Shape[1] - 1);
        var network = new ViTNetwork(new ViTConfig
        {
            ImageSize = grid * patch,
            PatchSize = patch,
            Width = width,
            Depth = checkpoint.Tensors.Keys.Count(name => name.EndsWith(".norm1.weight", StringComparison.Ordinal)),
            Heads = width / 64,
            MlpWidth = (int)checkpoint.Tensors["blocks.0.mlp.fc1.weight"].Shape[0],
            Classes = (int)checkpoint.Tensors["head.weight"].Shape[0],
        });
        CheckpointLoader.Load(network, checkpoint, Dialect.Identity);
        network.eval();
        return network;
    }
}
