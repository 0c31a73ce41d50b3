using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.ViT;

/// <summary>timm's architectures <c>vit_*</c> and <c>deit_*</c> that are the Vision Transformer of the paper, DeiT, and DINOv2 without registers.</summary>
internal static partial class ViTTimm
{
    /// <summary>The network, without a head, that timm makes of its configuration.</summary>
    /// <exception cref="CheckpointException">Another architecture, or an argument that makes another network of it.</exception>
    public static ViTConfig Read(TimmConfig timm)
    {
        var name = Name().Match(timm.Architecture);
        if (!name.Success)
            throw timm.Unknown("vit_SIZE_patchN_N, vit_SIZE_patchN_dinov2, deit_SIZE_patchN_N and deit_SIZE_distilled_patchN_N, where SIZE is tiny, small, base, large or huge, and of DINOv2 giant too");
        string[] read = ["img_size", "patch_size", "in_chans", "embed_dim", "depth", "num_heads", "mlp_ratio", "qkv_bias"];
        var (size, distilled, dinoV2) = (Of(name.Groups["size"].Value), name.Groups["distilled"].Success, name.Groups["dinov2"].Success);
        timm.CheckArguments([.. read, .. dinoV2 ? ["init_values"] : (string[])[]]);

        var arguments = timm.Arguments;
        var width = arguments.Get("embed_dim", size.Width);
        return (size with
        {
            ImageSize = timm.NetworkSize,
            PatchSize = arguments.Size("patch_size", int.Parse(name.Groups["patch"].Value, CultureInfo.InvariantCulture)),
            Channels = arguments.Get("in_chans", size.Channels),
            Width = width,
            Depth = arguments.Get("depth", size.Depth),
            Heads = arguments.Get("num_heads", size.Heads),
            // timm's ratio is of both halves of a SwiGLU.
            MlpWidth = size.Activation == Activation.SwiGlu ? (int)(width * arguments.Get("mlp_ratio", 2 * 2.66667)) / 2 : (int)(width * arguments.Get("mlp_ratio", 4.0)),
            QkvBias = arguments.Get("qkv_bias", true),
            DistillationToken = distilled,
            DistillationHead = distilled,
            LayerScale = dinoV2 ? arguments.Get("init_values", 1e-5) : null,
            Interpolation = dinoV2 ? PositionInterpolation.AntialiasedSize : null,
        }).Validate();
    }

    private static ViTConfig Of(string size) => ViTConfig.Of(size switch
    {
        "tiny" => ViTPreset.Tiny16,
        "small" => ViTPreset.Small16,
        "base" => ViTPreset.Base16,
        "large" => ViTPreset.Large16,
        "giant" => ViTPreset.Giant14,
        _ => ViTPreset.Huge14,
    });

    // timm's vit_giant is another network than DINOv2's.
    [GeneratedRegex(@"\A((vit|deit)_(?<size>tiny|small|base|large|huge)_((?<distilled>distilled)_)?patch(?<patch>\d{1,4})_\d+|vit_(?<size>tiny|small|base|large|huge|giant)_patch(?<patch>\d{1,4})_(?<dinov2>dinov2))\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
