using Microsoft.ML.VisionModels.Core;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// Batch normalization (arXiv 1502.03167): each channel is normalized over the batch, in training by the batch's own mean and variance,
/// in scoring by running ones that training left. Of vectors [B, C] and of feature maps [B, C, H, W].
/// </summary>
internal sealed class BatchNorm : nn.Module<Tensor, Tensor>
{
    private const double Momentum = 0.1;

    internal Parameter? weight, bias;
    internal Tensor running_mean, running_var;      // buffers
    private readonly double _eps;

    /// <param name="channels">C.</param>
    /// <param name="affine">Whether a learned factor and offset for each channel follow.</param>
    /// <param name="eps">What is added to the variance.</param>
    public BatchNorm(int channels, bool affine = true, double eps = 1e-5) : base(nameof(BatchNorm))
    {
        if (affine)
            (weight, bias) = (Parameters.Full(1, channels), Parameters.Zeros(channels));
        (running_mean, running_var) = (Parameters.Buffer(0, channels), Parameters.Buffer(1, channels));
        _eps = eps;
        RegisterComponents();
    }

    /// <summary>Whether training, too, normalizes by the running statistics and leaves them as they are: those of layers that do not learn.</summary>
    public bool FixedStatistics { get; set; }

    public override Tensor forward(Tensor x)
    {
        x = x.to(running_mean.dtype);       // in 32 bits also where products are of 16
        // A single value has no variance.
        var byBatch = training && !FixedStatistics && x.numel() > x.shape[1];
        // The second pass of a block sees the batch that the first one has counted.
        var (mean, variance) = byBatch && GradientCheckpointing.IsSecondPass ? (running_mean.clone(), running_var.clone()) : (running_mean, running_var);
        return nn.functional.batch_norm(x, mean, variance, weight, bias, byBatch, Momentum, _eps);
    }
}
