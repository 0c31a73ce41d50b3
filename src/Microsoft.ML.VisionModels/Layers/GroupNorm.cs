using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Group normalization (arXiv 1803.08494): channels fall into groups, each of which is normalized over itself and all places, image by image.</summary>
internal sealed class GroupNorm : nn.Module<Tensor, Tensor>
{
    internal Parameter weight, bias;
    private readonly int _groups;
    private readonly double _eps;

    /// <param name="groups">Groups, of equally many channels.</param>
    /// <param name="channels">C.</param>
    /// <param name="eps">What is added to the variance.</param>
    /// <exception cref="ArgumentException">The channels do not fall into so many groups.</exception>
    public GroupNorm(int groups, int channels, double eps) : base(nameof(GroupNorm))
    {
        if (channels % groups != 0)
            throw new ArgumentException($"{channels} channels cannot be divided among {groups} groups of a norm.", nameof(groups));
        (weight, bias) = (Parameters.Full(1, channels), Parameters.Zeros(channels));
        (_groups, _eps) = (groups, eps);
        RegisterComponents();
    }

    // In 32 bits also where products are of 16.
    public override Tensor forward(Tensor x) => nn.functional.group_norm(x.to(weight.dtype), _groups, weight, bias, _eps);     // [B, C, ...]
}
