using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>What every block is told beside the features; an autoencoder's blocks are told nothing.</summary>
/// <param name="Time">The time, and what else is added to it, after the activation, [B, time].</param>
/// <param name="Context">The words, [B, S, context].</param>
/// <param name="ContextMask">Added to the scores of attention to the words, [B, 1, 1, S].</param>
internal sealed record BlockCondition(Tensor? Time = null, Tensor? Context = null, Tensor? ContextMask = null)
{
    public static BlockCondition None { get; } = new();

    /// <summary>Whether training computes blocks twice to save memory.</summary>
    public bool Checkpointing { get; init; }

    /// <summary>Where dropout comes from.</summary>
    public Generator? Generator { get; init; }
}

/// <summary>A block of a U-Net or an autoencoder, from features [B, C, H, W] to features [B, D, H, W].</summary>
internal abstract class UNetBlock(string name) : nn.Module(name)
{
    public abstract Tensor forward(Tensor x, BlockCondition condition);

    /// <summary>The forward pass, in training perhaps without its intermediate tensors.</summary>
    public Tensor Run(Tensor x, BlockCondition condition)
    {
        if (!condition.Checkpointing)
            return forward(x, condition);
        var (time, context, mask) = condition;
        return GradientCheckpointing.Run(this, inputs =>
        {
            var rest = new Queue<Tensor>(inputs[1..]);
            return forward(inputs[0], new(Next(time), Next(context), Next(mask)));

            Tensor? Next(Tensor? given) => given is null ? null : rest.Dequeue();
        }, [x, .. new[] { time, context, mask }.OfType<Tensor>()], condition.Generator);
    }
}

/// <summary>What the blocks of a network have in common.</summary>
internal sealed record BlockConfig
{
    public required int NormGroups { get; init; }

    public required double NormEps { get; init; }

    public required Activation Activation { get; init; }

    /// <summary>The width of the time's vector; null where there is no time.</summary>
    public int? TimeWidth { get; init; }

    /// <summary>Whether the time scales and shifts the second norm's output, or is added before it.</summary>
    public bool ScaleShift { get; init; }

    public double Dropout { get; init; }

    /// <summary>What the sum of a branch and its input is divided by.</summary>
    public double OutputScale { get; init; } = 1;
}
