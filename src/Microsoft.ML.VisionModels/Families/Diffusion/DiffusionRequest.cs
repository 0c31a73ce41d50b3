using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>An image that is wanted.</summary>
/// <param name="Seed">Of its noise.</param>
internal sealed record DiffusionRequest(long Seed)
{
    public string Prompt { get; init; } = "";

    /// <summary>What is not wanted.</summary>
    public string NegativePrompt { get; init; } = "";

    /// <summary>For models of classes.</summary>
    public long? Class { get; init; }

    /// <summary>What to begin with, of the size that is made, [3, H, W] from 0 to 1; null for noise.</summary>
    public Tensor? Image { get; init; }

    /// <summary>What of it is painted: where it is brighter than half, [3, H, W]; null for all.</summary>
    public Tensor? Mask { get; init; }
}

/// <summary>The noise of a batch: each row's from a stream of its own, so that its image is the same whatever is beside it.</summary>
internal interface IDiffusionNoise : IDisposable
{
    /// <summary>New noise for each row, of this shape, float32 on the CPU.</summary>
    Tensor Draw(long[] shape);
}

/// <summary>Noise of seeds: that of PyTorch's generator on the CPU, as the reference's with a list of generators.</summary>
internal sealed class SeededNoise(IEnumerable<long> seeds) : IDiffusionNoise
{
    private readonly Generator[] _generators = [.. seeds.Select(seed => new Generator(unchecked((ulong)seed)))];

    public Tensor Draw(long[] shape) => cat([.. _generators.Select(generator => randn([1, .. shape[1..]], generator: generator))]);

    public void Dispose()
    {
        foreach (var generator in _generators)
            generator.Dispose();
    }
}
