using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>How CLIP's text tower is published alone, for other models to read words with: <c>CLIPTextModel</c> and <c>CLIPTextModelWithProjection</c>, or a file with OpenAI's names.</summary>
internal sealed class ClipTextModel : PublishedFormat<ClipTextConfig, ClipTextNetwork>
{
    private const string HuggingFaceTokens = "text_model.embeddings.token_embedding.weight", OpenAITokens = "token_embedding.weight";

    // Of OpenAI's networks and open_clip's.
    private const int HeadWidth = 64;

    // The tower that OpenAI published for it; those of open_clip are wider, and compute with GELU itself.
    private const int QuickGeluWidth = 768;

    public override IReadOnlyList<string> ModelTypes { get; } = ["clip_text_model"];

    protected override IReadOnlyList<string> Landmarks { get; } = [HuggingFaceTokens, OpenAITokens];

    public override IReadOnlyList<Dialect> Dialects(ClipTextConfig config) => ClipDialect.TextTower;

    /// <summary>The tower of a <c>config.json</c>; whether it has a projection the tensors tell.</summary>
    public static ClipTextConfig Read(JsonElement config, IReadOnlyDictionary<string, TensorInfo> tensors) =>
        (ClipTextConfig.FromHuggingFace(config) with { EmbeddingSize = tensors.ContainsKey("text_projection.weight") ? config.Get("projection_dim", 512) : 0 }).Validate();

    protected override ClipTextConfig ReadConfig(JsonElement config, IReadOnlyDictionary<string, TensorInfo> tensors)
    {
        config.ModelType(ModelTypes);
        return Read(config, tensors);
    }

    protected override ClipTextConfig ReadTensors(Checkpoint weights, ModelFolder folder) => FromTensors(weights);

    /// <summary>What the shapes of the tensors tell, and what is usual for the rest: heads of 64, and the activation of whoever trained towers of this width.</summary>
    /// <exception cref="CheckpointException">They are of another network.</exception>
    public static ClipTextConfig FromTensors(Checkpoint weights)
    {
        var isOpenAI = !weights.Tensors.ContainsKey(HuggingFaceTokens);
        var tokens = Shape(isOpenAI ? OpenAITokens : HuggingFaceTokens);                                                                // [V, D]
        var blocks = isOpenAI ? "transformer.resblocks" : "text_model.encoder.layers";
        return new ClipTextConfig
        {
            VocabularySize = tokens[0],
            Width = tokens[1],
            Positions = Shape(isOpenAI ? "positional_embedding" : "text_model.embeddings.position_embedding.weight")[0],
            Depth = weights.Tensors.Keys.Where(name => name.StartsWith(blocks + ".", StringComparison.Ordinal)).Select(name => name[(blocks.Length + 1)..].Split('.')[0]).Distinct().Count(),
            Heads = Math.Max(1, tokens[1] / HeadWidth),
            MlpWidth = Shape($"{blocks}.0.mlp.{(isOpenAI ? "c_fc" : "fc1")}.weight")[0],
            Activation = tokens[1] == QuickGeluWidth ? Activation.QuickGelu : Activation.Gelu,
            EmbeddingSize = isOpenAI ? Shape("text_projection")[1] : weights.Tensors.ContainsKey("text_projection.weight") ? Shape("text_projection.weight")[0] : 0,
        }.Validate();

        int[] Shape(string name) => weights.Tensors.TryGetValue(name, out var tensor) && tensor.Shape.Count == 2
            ? [.. tensor.Shape.Select(size => checked((int)size))]
            : throw new CheckpointException($"{weights.Path} has no matrix '{name}', as text towers of CLIP have.");
    }
}
