using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Draws the starting values of a network from a seeded generator.</summary>
internal static class Initialization
{
    /// <summary>
    /// Fills every <see cref="Linear"/> (truncated normal, bias zero) and each convolution (PyTorch's default) in or under
    /// <paramref name="module"/>, in the order of registration. Layer norms and layer scales are born with their values;
    /// tokens and positions are their network's to draw.
    /// </summary>
    public static void Fill(nn.Module module, double std, Generator generator)
    {
        switch (module)
        {
            case Linear linear:
                TruncatedNormal(linear.weight, std, generator);
                Zero(linear.bias);
                return;
            case Conv2d conv:
                var fanIn = conv.weight.numel() / conv.weight.shape[0];
                FanInUniform(conv.weight, fanIn, generator);
                if (conv.bias is not null)
                    FanInUniform(conv.bias, fanIn, generator);
                return;
            case ConvTranspose2d conv:
                var fan = conv.weight.numel() / conv.weight.shape[0];
                FanInUniform(conv.weight, fan, generator);
                FanInUniform(conv.bias, fan, generator);
                return;
        }
        foreach (var child in module.children())
            Fill(child, std, generator);
    }

    /// <summary>
    /// The normal distribution cut at <paramref name="low"/> and <paramref name="high"/>, drawn by inversion: the same numbers
    /// from the same seed as PyTorch's <c>trunc_normal_</c>, which TorchSharp's own does not give.
    /// </summary>
    public static void TruncatedNormal(Tensor tensor, double std, Generator generator, double mean = 0, double low = -2, double high = 2)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        using Scalar scale = std * Math.Sqrt(2), offset = mean, one = 1, least = low, most = high;    // held, see TensorArithmetic
        tensor.uniform_(2 * NormalCdf((low - mean) / std) - 1, 2 * NormalCdf((high - mean) / std) - 1, generator)
            .erfinv_()
            .mul_(scale)
            .add_(offset, one)
            .clamp_(least, most);
    }

    public static void Normal(Tensor tensor, double std, Generator generator)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        tensor.normal_(0, std, generator);
    }

    /// <summary>Uniform within 1 / sqrt(fan in), PyTorch's default for convolutions.</summary>
    public static void FanInUniform(Tensor tensor, long fanIn, Generator generator)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var bound = 1 / Math.Sqrt(fanIn);
        tensor.uniform_(-bound, bound, generator);
    }

    public static void Zero(Tensor? tensor)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        tensor?.zero_();
    }

    private static double NormalCdf(double x) => (1 + torch.tensor(x / Math.Sqrt(2), ScalarType.Float64).erf().item<double>()) / 2;
}
