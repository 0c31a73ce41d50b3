using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>The hyper-parameters of a TinyViT as MobileSAM has it; by default those of TinyViT-5M.</summary>
/// <remarks>Two configurations with equal lists are not equal records: compare what <see cref="Pipelines.ModelJson"/> writes.</remarks>
internal sealed record TinyVitConfig
{
    /// <summary>The size of images that the network is meant for. Others work too.</summary>
    public ImageSize ImageSize { get; init; } = 1024;

    public int Channels { get; init; } = 3;

    /// <summary>Channels of each stage. The first stage is of convolutions, the others are of transformer blocks.</summary>
    public int[] Widths { get; init; } = [64, 128, 160, 320];

    /// <summary>Blocks of each stage.</summary>
    public int[] Depths { get; init; } = [2, 2, 6, 2];

    /// <summary>Attention heads of each stage; the first stage has no attention, whatever its number.</summary>
    public int[] Heads { get; init; } = [2, 4, 5, 10];

    /// <summary>The side of each stage's windows in tokens; the first stage has none, whatever its number.</summary>
    [FromTo(1, Limits.AttentionWindow)]
    public int[] Windows { get; init; } = [7, 7, 14, 7];

    /// <summary>The width of a transformer block's MLP in relation to the block's.</summary>
    public double MlpRatio { get; init; } = 4;

    /// <summary>The width within a block of convolutions in relation to the block's.</summary>
    public double ExpandRatio { get; init; } = 4;

    /// <summary>Channels of the embedding.</summary>
    public int OutputChannels { get; init; } = 256;

    internal const double NormEps = 1e-5;

    private const int MostStages = 10;

    public int Stages => Depths.Length;

    public int LastStage => Depths.Length - 1;

    /// <summary>Pixels on a side of what becomes one place of the embedding: 4 by the stem, twice as many by each merging but the last.</summary>
    public int Stride => 4 << (Stages - 2);

    /// <summary>The embedding's size for an image of <see cref="ImageSize"/>, rounded up.</summary>
    public ImageSize Grid => new((ImageSize.Height + Stride - 1) / Stride, (ImageSize.Width + Stride - 1) / Stride);

    /// <summary>Channels within a block of convolutions.</summary>
    public int ExpandedWidth => (int)(ExpandRatio * Widths[0]);

    /// <summary>The hyper-parameters of a stage's transformer blocks.</summary>
    public TransformerConfig StageConfig(int stage) => new()
    {
        Width = Widths[stage],
        Depth = Depths[stage],
        Heads = Heads[stage],
        MlpWidth = (int)(MlpRatio * Widths[stage]),
        NormEps = NormEps,
    };

    /// <summary>Throws for hyper-parameters that make no network.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the numbers do not fit each other.</exception>
    public TinyVitConfig Validate()
    {
        HyperParameters.Check(this);
        if (Stages is < 2 or > MostStages)
            throw new ArgumentException($"A TinyViT needs a stage of convolutions and one or more of transformer blocks, at most {MostStages}, not {Stages} in all.");
        foreach (var (name, values) in new[] { ("widths", Widths), ("numbers of heads", Heads), ("window sizes", Windows) })
        {
            if (values.Length != Stages)
                throw new ArgumentException($"A TinyViT of {Stages} stages needs as many {name}, not {values.Length}.");
        }
        if (ExpandedWidth <= 0)
            throw new ArgumentException($"A TinyViT's expanded width must be positive, not {ExpandedWidth}.");
        if (Widths[0] % 2 != 0)
            throw new ArgumentException($"The first stage's width must be even, as the stem begins with half of it, not {Widths[0]}.");
        for (var stage = 1; stage < Stages; stage++)
        {
            if (Widths[stage] % Heads[stage] != 0)
                throw new ArgumentException($"The width {Widths[stage]} of stage {stage + 1} cannot be divided among {Heads[stage]} attention heads.");
            if (StageConfig(stage).MlpWidth <= 0)
                throw new ArgumentException($"An MLP ratio of {MlpRatio} leaves stage {stage + 1} no MLP.");
        }
        return this;
    }
}
