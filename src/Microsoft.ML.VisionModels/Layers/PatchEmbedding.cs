using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Cuts an image into patches and projects each to a token.</summary>
internal sealed class PatchEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d proj;

    public PatchEmbedding(int channels, int width, ImageSize patch, bool hasBias = true) : base(nameof(PatchEmbedding))
    {
        proj = new(channels, width, patch, stride: patch, hasBias: hasBias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor pixels) =>
        proj.forward(pixels)            // [B, C, H, W] -> [B, D, H / P, W / P]
            .flatten(2)                 // [B, D, N], row by row
            .transpose(1, 2);           // [B, N, D]
}
