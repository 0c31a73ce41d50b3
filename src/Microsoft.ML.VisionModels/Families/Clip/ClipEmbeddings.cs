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

    /// <exception cref="ArgumentException">Vectors of another length are asked for than the network has: it was not trained to be cut.</exception>
    public static void Check(EmbeddingGenerationOptions? options, EmbeddingGeneratorMetadata metadata)
    {
        if (options?.Dimensions is { } asked && asked != metadata.DefaultModelDimensions)
            throw new ArgumentException($"{nameof(options.Dimensions)} is {asked}, but the vectors of {metadata.DefaultModelId} have {metadata.DefaultModelDimensions} numbers and cannot be shortened.", nameof(options));
    }

    /// <summary>Vectors [N, E], one by one.</summary>
    public static GeneratedEmbeddings<Embedding<float>> Of(Tensor vectors) =>
        [.. vectors.ToRows().Select(vector => new Embedding<float>(vector) { CreatedAt = DateTimeOffset.UtcNow })];

    public static object? Service(object generator, EmbeddingGeneratorMetadata metadata, Type type, object? key)
    {
        ArgumentNullException.ThrowIfNull(type);
        return key is not null ? null : type.IsInstanceOfType(generator) ? generator : type == typeof(EmbeddingGeneratorMetadata) ? metadata : null;
    }
}
