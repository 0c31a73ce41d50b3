using Microsoft.Extensions.AI;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>What the generators for Microsoft.Extensions.AI have in common.</summary>
internal static class ClipEmbeddings
{
    public static EmbeddingGeneratorMetadata Metadata(PublishedModel<ClipConfig, ClipNetwork> source) => new(
        "Microsoft.ML.VisionModels", defaultModelId: Path.GetFileName(Path.TrimEndingDirectorySeparator(source.Folder!.Path)), defaultModelDimensions: source.Config.EmbeddingSize);

    /// <summary>Vectors [N, E], one by one.</summary>
    public static GeneratedEmbeddings<Embedding<float>> Of(Tensor vectors) =>
        [.. vectors.ToRows().Select(vector => new Embedding<float>(vector) { CreatedAt = DateTimeOffset.UtcNow })];

    public static object? Service(object generator, EmbeddingGeneratorMetadata metadata, Type type, object? key)
    {
        ArgumentNullException.ThrowIfNull(type);
        return key is not null ? null : type.IsInstanceOfType(generator) ? generator : type == typeof(EmbeddingGeneratorMetadata) ? metadata : null;
    }
}
