using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>
/// Labeled images that are remembered, and speak for their classes the more, the closer an image is to them: "Tip-Adapter:
/// Training-free CLIP-Adapter for Better Vision-Language Modeling" (arXiv 2111.03930), alpha exp(-beta (1 - f K^T)) V.
/// </summary>
internal sealed class TipAdapter : nn.Module<Tensor, Tensor>
{
    private static readonly Scalar s_one = 1;   // kept, as the others are: see TensorArithmetic

    private readonly Parameter keys, values;
    private readonly Scalar _alpha, _beta;

    /// <summary>Without values, into which saved ones are loaded.</summary>
    public TipAdapter(TipAdapterConfig config) : base(nameof(TipAdapter))
    {
        HyperParameters.Check(config);
        Config = config;
        keys = Parameters.Empty(config.Size, config.EmbeddingSize);
        values = Parameters.Empty(config.Size, config.Classes);
        _alpha = config.Alpha;
        _beta = config.Beta;
        RegisterComponents();
    }

    /// <summary>Remembers images.</summary>
    /// <param name="vectors">Their vectors of length 1, [N, E].</param>
    /// <param name="classes">Their classes, one-hot [N, C].</param>
    /// <param name="alpha">How much a remembered image counts.</param>
    /// <param name="beta">How quickly its say falls with the distance.</param>
    public static TipAdapter Of(Tensor vectors, Tensor classes, double alpha, double beta)
    {
        using var _ = no_grad();
        var adapter = new TipAdapter(new((int)vectors.shape[0], (int)vectors.shape[1], (int)classes.shape[1], alpha, beta));
        adapter.to(vectors.device);
        adapter.keys.copy_(vectors);
        adapter.values.copy_(classes);
        return adapter;
    }

    public TipAdapterConfig Config { get; }

    public override Tensor forward(Tensor x) =>                             // [B, E]
        x.matmul(keys.to(x.dtype).t()).sub(s_one).mul(_beta).exp()                      // [B, N], 1 for the same image
            .matmul(values.to(x.dtype)).mul(_alpha);                                    // [B, C]
}

/// <param name="Size">The number of images.</param>
/// <param name="EmbeddingSize">The length of a vector.</param>
/// <param name="Classes">The number of classes.</param>
/// <param name="Alpha">How much a remembered image counts.</param>
/// <param name="Beta">How quickly its say falls with the distance.</param>
internal sealed record TipAdapterConfig(int Size, int EmbeddingSize, int Classes, double Alpha, double Beta);
