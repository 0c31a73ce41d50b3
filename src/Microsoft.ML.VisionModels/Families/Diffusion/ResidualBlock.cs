using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>Two convolutions on a residual branch, each after a norm and an activation, between which the branch is told the time (arXiv 2006.11239).</summary>
internal sealed class ResidualBlock : UNetBlock
{
    private readonly GroupNorm norm1, norm2;
    private readonly Conv2d conv1, conv2;
    private readonly Linear? time_emb_proj;
    private readonly Conv2d? conv_shortcut;      // where the sum needs one
    private readonly Dropout _dropout;
    private readonly BlockConfig _config;

    public ResidualBlock(BlockConfig config, int inputs, int outputs, Generator? generator) : base(nameof(ResidualBlock))
    {
        (norm1, conv1) = (new(config.NormGroups, inputs, config.NormEps), new(inputs, outputs, 3, stride: 1, padding: 1));
        time_emb_proj = config.TimeWidth is { } time ? new(time, config.ScaleShift ? 2 * outputs : outputs) : null;
        (norm2, conv2) = (new(config.NormGroups, outputs, config.NormEps), new(outputs, outputs, 3, stride: 1, padding: 1));
        conv_shortcut = inputs == outputs ? null : new(inputs, outputs, 1, stride: 1);
        (_config, _dropout) = (config, new(config.Dropout, generator));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, BlockCondition condition)                                      // [B, C, H, W]
    {
        using var scope = NewDisposeScope();
        var time = time_emb_proj?.forward(condition.Time!).unsqueeze(-1).unsqueeze(-1);                     // [B, D, 1, 1], or 2 D
        var branch = Second(First(x), time);
        return UNetSums.Of(conv_shortcut?.forward(x) ?? x, branch, _config.OutputScale).MoveToOuterDisposeScope();
    }

    // What lies between a norm and its convolution is freed at once: in an autoencoder it is most of the memory.
    private Tensor First(Tensor x)
    {
        using var scope = NewDisposeScope();
        return conv1.forward(_config.Activation.Apply(norm1.forward(x))).MoveToOuterDisposeScope();         // [B, D, H, W]
    }

    private Tensor Second(Tensor branch, Tensor? time)
    {
        using var scope = NewDisposeScope();
        using var first = branch;
        if (time is null)
            branch = norm2.forward(branch);
        else if (_config.ScaleShift)
            branch = (norm2.forward(branch) * time.narrow(1, 0, branch.shape[1]).Add(1)).Add(time.narrow(1, branch.shape[1], branch.shape[1]));
        else
            branch = norm2.forward(branch.Add(time));
        return conv2.forward(_dropout.forward(_config.Activation.Apply(branch))).MoveToOuterDisposeScope();
    }

    /// <summary>A new block's branch begins as nothing (arXiv 2006.11239, as its authors' code has it).</summary>
    public void CloseBranch() => Initialization.Zero(conv2.weight);
}

/// <summary>The sum that ends a residual block.</summary>
internal static class UNetSums
{
    public static Tensor Of(Tensor x, Tensor branch, double scale)
    {
        var sum = x.Add(branch);
        return scale == 1 ? sum : sum.Div(scale);
    }
}
