using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>Blocks on a grid of one size, whose windows lie straight and shifted in turn, and the merging that leads to the next stage.</summary>
internal sealed class SwinStage : nn.Module
{
    private readonly ModuleList<SwinBlock> blocks;
    private readonly PatchMerging? downsample;
    private readonly int _stage;
    private readonly Generator? _generator;
    private SwinConfig _config;

    public SwinStage(SwinConfig config, int stage, Generator? generator) : base(nameof(SwinStage))
    {
        (_config, _stage, _generator) = (config, stage, generator);
        blocks = new([.. Enumerable.Range(0, config.Depths[stage]).Select(index => new SwinBlock(config, stage, index, generator))]);
        downsample = stage < config.LastStage ? new(config.Version, config.WidthOf(stage)) : null;
        RegisterComponents();
    }

    /// <summary>Whether training computes the blocks twice to save memory.</summary>
    public bool GradientCheckpointing { get; set; }

    /// <param name="x">Tokens [B, H, W, D].</param>
    /// <param name="trace">Takes <c>blocks.i</c> and <c>blocks.i.attentions</c> where it wants them.</param>
    /// <returns>[B, H, W, D], before the merging.</returns>
    public Tensor forward(Tensor x, Trace? trace)
    {
        using var scope = NewDisposeScope();
        var (height, width) = ((int)x.shape[1], (int)x.shape[2]);
        var straight = _config.Windows(_stage, height, width, shifted: false);
        var shifted = _config.Windows(_stage, height, width, shifted: true);
        var mask = blocks.Count > 1 ? shifted.ShiftMask(x.device, _config.HiddenScore) : null;
        for (var i = 0; i < blocks.Count; i++)
        {
            var (block, isShifted) = (blocks[i], i % 2 == 1);
            x = GradientCheckpointing && trace is null
                ? Layers.GradientCheckpointing.Run(block, input => isShifted
                    ? block.forward(input, shifted, shifted.ShiftMask(input.device, _config.HiddenScore), null)
                    : block.forward(input, straight, null, null), x, _generator)
                : block.forward(x, isShifted ? shifted : straight, isShifted ? mask : null, trace?.In($"blocks.{i}"));
            trace?.Add($"blocks.{i}", x);
        }
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>The next stage's tokens; the same where this is the last.</summary>
    public Tensor Merge(Tensor x) => downsample?.forward(x) ?? x;

    public void Initialize(Generator generator)
    {
        // The spread of Xavier's rule for the stage's width: the published 0.02 fits wide networks, and lets narrow ones learn slowly.
        var std = 1 / Math.Sqrt(_config.WidthOf(_stage));
        foreach (var block in blocks)
            block.Initialize(std, generator);
        if (downsample is not null)
            Initialization.Fill(downsample, std, generator);
    }

    /// <summary>Takes over another image and window size.</summary>
    public void Resize(SwinConfig config)
    {
        _config = config;
        foreach (var block in blocks)
        {
            if (block.PositionBias is PositionBiasTable table)
                table.Resize(config.WindowSize);
            else if (block.PositionBias is ContinuousPositionBias continuous)
                continuous.PretrainedWindow = config.PretrainedWindows.ElementAtOrDefault(_stage);
        }
    }
}
