using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;
using Dropout = Microsoft.ML.VisionModels.Layers.Dropout;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>Cuts an image into patches and projects each to a token; unlike ViT's, tokens stay on their grid and are normalized, and edges are padded.</summary>
internal sealed class SwinEmbedding : nn.Module
{
    private readonly Conv2d proj;
    private readonly LayerNorm norm;
    private readonly Dropout _dropout;
    private readonly ImageSize _patch;

    public SwinEmbedding(SwinConfig config, Generator? generator) : base(nameof(SwinEmbedding))
    {
        _patch = config.PatchSize;
        proj = new(config.Channels, config.Width, config.PatchSize, stride: config.PatchSize);
        norm = Parameters.LayerNorm(config.Width, SwinConfig.FixedNormEps);
        _dropout = new(config.Dropout, generator);
        RegisterComponents();
    }

    /// <summary>Images [B, C, H, W] to tokens [B, H / P, W / P, D]. Traces <c>patch_embeddings</c>, before the norm.</summary>
    public Tensor forward(Tensor pixels, Trace? trace)
    {
        using var scope = NewDisposeScope();
        var (right, below) = (Missing(pixels.shape[3], _patch.Width), Missing(pixels.shape[2], _patch.Height));
        if (right + below > 0)
            pixels = F.pad(pixels, [0, right, 0, below]);
        var x = proj.forward(pixels).permute(0, 2, 3, 1);       // [B, D, H / P, W / P] -> [B, H / P, W / P, D]
        trace?.Add("patch_embeddings", x);
        return _dropout.forward(norm.forward(x.to(norm.weight.dtype))).MoveToOuterDisposeScope();

        static long Missing(long length, int patch) => (patch - length % patch) % patch;
    }
}
