using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>
/// MobileSAM's image encoder (arXiv 2306.14289): TinyViT (arXiv 2207.10666) without its head and with the neck of SAM's own encoder. Its
/// last merging keeps the resolution, so that the embedding has as many places as SAM's. Reference implementation: ChaoningZhang/MobileSAM.
/// </summary>
/// <remarks>
/// For inference: each of the authors' batch norms is part of the convolution before it; <see cref="TinyVitFoldedCheckpoint"/> reads files
/// that have them apart. Built without values: load a checkpoint, or call <see cref="Initialize"/>.
/// </remarks>
internal sealed class TinyVitEncoder : nn.Module<Tensor, Tensor>
{
    private const double InitialStd = 0.02;

    private readonly TinyVitStem patch_embed;
    private readonly ModuleList<TinyVitStage> stages;
    private readonly SamNeck neck;

    public TinyVitEncoder(TinyVitConfig config) : base(nameof(TinyVitEncoder))
    {
        Config = config.Validate();
        patch_embed = new(config);
        stages = new([.. Enumerable.Range(0, config.Stages).Select(stage => new TinyVitStage(config, stage))]);
        neck = new(config.Widths[config.LastStage], config.OutputChannels);
        RegisterComponents();
    }

    public TinyVitConfig Config { get; }

    /// <summary>The embedding [B, 256, H / 16, W / 16] of normalized images [B, 3, H, W], in the numbers of TinyViT-5M.</summary>
    public override Tensor forward(Tensor pixels)
    {
        if (pixels.dim() != 4 || pixels.shape[1] != Config.Channels)
            throw new ArgumentException($"Images must be [batch, {Config.Channels}, height, width], not [{string.Join(", ", pixels.shape)}].", nameof(pixels));
        using var scope = NewDisposeScope();
        var x = patch_embed.forward(pixels);            // [B, 64, H / 4, W / 4]
        foreach (var stage in stages)
            x = stage.forward(x);                       // [B, 128, H / 8, W / 8], [B, 160, H / 16, W / 16], [B, 320, H / 16, W / 16], the same
        return neck.forward(x).MoveToOuterDisposeScope();
    }

    /// <summary>Draws every weight: linear layers from a truncated normal of 0.02, convolutions by PyTorch's default, position biases zero.</summary>
    public TinyVitEncoder Initialize(Generator generator)
    {
        Initialization.Fill(this, InitialStd, generator);
        return this;
    }
}

/// <summary>Blocks on a grid of one size, and the merging that leads to the next stage.</summary>
internal sealed class TinyVitStage : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<nn.Module<Tensor, Tensor>> blocks;
    private readonly TinyVitMerging? downsample;

    public TinyVitStage(TinyVitConfig config, int stage) : base(nameof(TinyVitStage))
    {
        blocks = new([.. Enumerable.Range(0, config.Depths[stage]).Select(_ =>
            stage == 0 ? (nn.Module<Tensor, Tensor>)new TinyVitConvBlock(config) : new TinyVitBlock(config.StageConfig(stage), config.Windows[stage]))]);
        if (stage < config.LastStage)
            downsample = new(config.Widths[stage], config.Widths[stage + 1], stride: stage + 1 == config.LastStage ? 1 : 2);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)            // [B, D, H, W]
    {
        using var scope = NewDisposeScope();
        foreach (var block in blocks)
            x = block.forward(x);
        return (downsample?.forward(x) ?? x).MoveToOuterDisposeScope();
    }
}
