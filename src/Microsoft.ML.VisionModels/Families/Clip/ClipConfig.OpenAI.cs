using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Clip;

internal sealed partial record ClipConfig
{
    // Of all of OpenAI's networks; open_clip's configuration says where one differs.
    private const int HeadWidth = 64;

    /// <summary>Reads the hyper-parameters off the shapes of a file with OpenAI's names, as their own code does.</summary>
    /// <param name="checkpoint">The file.</param>
    /// <param name="openClip">open_clip's <c>open_clip_config.json</c>, where there is one: it tells what shapes do not.</param>
    /// <exception cref="CheckpointException">The file has other tensors, or a tower that is no transformer.</exception>
    public static ClipConfig FromOpenAI(Checkpoint checkpoint, JsonElement? openClip = null)
    {
        if (checkpoint.Tensors.ContainsKey("visual.layer1.0.conv1.weight"))
            throw new CheckpointException($"{checkpoint.Path} holds a CLIP whose vision tower is a ResNet; those with a Vision Transformer are read.");

        var model = (openClip ?? JsonConfig.Empty).Part("model_cfg");
        var activation = openClip is null || model.Get("quick_gelu", false) ? Activation.QuickGelu : Activation.Gelu;
        var patch = Shape("visual.conv1.weight", 4);                    // [W, 3, P, P]
        var grid = (int)Math.Sqrt(Shape("visual.positional_embedding", 2)[0] - 1);
        var tokens = Shape("token_embedding.weight", 2);                // [V, D]
        return Of(
            new ViTConfig
            {
                ImageSize = grid * patch[3],
                PatchSize = patch[3],
                Channels = patch[1],
                Width = patch[0],
                Depth = Depth("visual.transformer.resblocks."),
                Heads = patch[0] / model.Part("vision_cfg").Get("head_width", HeadWidth),
                MlpWidth = Shape("visual.transformer.resblocks.0.mlp.c_fc.weight", 2)[0],
                Activation = activation,
                NormEps = 1e-5,
            },
            new ClipTextConfig
            {
                VocabularySize = tokens[0],
                Positions = Shape("positional_embedding", 2)[0],
                Width = tokens[1],
                Depth = Depth("transformer.resblocks."),
                Heads = model.Part("text_cfg").Get("heads", tokens[1] / HeadWidth),
                MlpWidth = Shape("transformer.resblocks.0.mlp.c_fc.weight", 2)[0],
                Activation = activation,
            },
            Shape("text_projection", 2)[1]).Validate();

        int[] Shape(string name, int dimensions) => checkpoint.Tensors.TryGetValue(name, out var tensor) && tensor.Shape.Count == dimensions
            ? [.. tensor.Shape.Select(size => checked((int)size))]
            : throw new CheckpointException($"{checkpoint.Path} has no tensor '{name}' of {dimensions} dimensions, as OpenAI's and open_clip's files of CLIP have. For Hugging Face's names give the folder, with its config.json.");

        int Depth(string prefix) => checkpoint.Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => name[prefix.Length..].Split('.')[0]).Distinct().Count();
    }
}
