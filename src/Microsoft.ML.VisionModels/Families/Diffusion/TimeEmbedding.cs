using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>
/// How the network is told a number, such as the time: its sines and cosines at many frequencies (arXiv 1706.03762, 3.5), from which two
/// linear layers make a vector for the blocks.
/// </summary>
internal sealed class TimeEmbedding : nn.Module<Tensor, Tensor>
{
    private const double LongestPeriod = 10000;

    private readonly Linear linear_1, linear_2;
    private readonly Linear? cond_proj;
    private readonly Activation _activation;

    /// <param name="inputs">The width of what comes in.</param>
    /// <param name="width">The width of the vector.</param>
    /// <param name="activation">Between the layers.</param>
    /// <param name="guidanceWidth">The width of what is known of the guidance, where the network was distilled to need none (arXiv 2210.03142).</param>
    public TimeEmbedding(int inputs, int width, Activation activation, int? guidanceWidth = null) : base(nameof(TimeEmbedding))
    {
        (linear_1, linear_2) = (new(inputs, width), new(width, width));
        cond_proj = guidanceWidth is { } guidance ? new(guidance, inputs, hasBias: false) : null;
        _activation = activation;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => forward(x, null);

    /// <param name="x">[B, inputs].</param>
    /// <param name="guidance">[B, guidance], where the network has been told of it in training.</param>
    /// <returns>[B, width].</returns>
    public Tensor forward(Tensor x, Tensor? guidance)
    {
        if (cond_proj is not null && guidance is not null)
            x = x.Add(cond_proj.forward(guidance));
        return linear_2.forward(_activation.Apply(linear_1.forward(x)));
    }

    /// <summary>Sines and cosines of numbers, in 32 bits.</summary>
    /// <param name="numbers">[B], of any type.</param>
    /// <param name="width">How many there are of each number.</param>
    /// <param name="cosinesFirst">Whether the cosines stand before the sines.</param>
    /// <param name="shift">What is taken from the count of frequencies where they are spread: with 1 the last has the longest period, with 0 one that would follow.</param>
    /// <returns>[B, width].</returns>
    public static Tensor Waves(Tensor numbers, int width, bool cosinesFirst, int shift)
    {
        using var scope = NewDisposeScope();
        var count = width / 2;
        var frequencies = TensorArithmetic.Arange(count, numbers.device).to(ScalarType.Float32).Mul(-Math.Log(LongestPeriod)).Div(count - shift).exp();
        var angles = numbers.to(ScalarType.Float32).unsqueeze(1) * frequencies;                             // [B, width / 2]
        var waves = cosinesFirst ? cat([angles.cos(), angles.sin()], 1) : cat([angles.sin(), angles.cos()], 1);
        return (width % 2 == 0 ? waves : nn.functional.pad(waves, [0, 1])).MoveToOuterDisposeScope();      // an odd width ends with a zero
    }
}
