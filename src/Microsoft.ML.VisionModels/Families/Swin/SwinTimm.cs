using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>timm's architectures <c>swin_*</c> and <c>swinv2_*</c> that are the authors' own.</summary>
internal static partial class SwinTimm
{
    /// <summary>The network, without a head, that timm makes of its configuration.</summary>
    /// <exception cref="CheckpointException">Another architecture, or an argument that makes another network of it.</exception>
    public static SwinConfig Read(TimmConfig timm)
    {
        var name = Name().Match(timm.Architecture);
        if (!name.Success)
            throw timm.Unknown("swin_SIZE_patchN_windowN_N and swinv2_SIZE_windowN_N, where SIZE is tiny, small, base or large");
        timm.CheckArguments("img_size", "patch_size", "in_chans", "embed_dim", "depths", "num_heads", "window_size", "mlp_ratio", "qkv_bias", "pretrained_window_sizes");

        var (size, arguments) = (Of(name.Groups["size"].Value), timm.Arguments);
        var (isV2, pretrained) = (name.Groups["v2"].Success, name.Groups["pretrained"]);
        var heads = arguments.Integers("num_heads") ?? size.Heads;
        return (size with
        {
            Version = isV2 ? SwinVersion.V2 : SwinVersion.V1,
            ImageSize = timm.NetworkSize,
            PatchSize = arguments.Size("patch_size", name.Groups["patch"].Success ? Number("patch") : 4),
            Channels = arguments.Get("in_chans", size.Channels),
            Width = arguments.Get("embed_dim", size.Width),
            Depths = arguments.Integers("depths") ?? size.Depths,
            Heads = heads,
            WindowSize = Window(arguments.Size("window_size", Number("window"))),
            MlpRatio = arguments.Get("mlp_ratio", size.MlpRatio),
            QkvBias = arguments.Get("qkv_bias", true),
            PretrainedWindows = !isV2 ? [] : arguments.Integers("pretrained_window_sizes") ?? (pretrained.Success ? Pretrained(Number("pretrained")) : new int[heads.Length]),
            DropPath = 0.1,
        }).Validate();

        int Number(string group) => int.Parse(name.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    // The last stage of the images that these networks were pretrained with is half a window.
    private static int[] Pretrained(int window) => [window, window, window, window / 2];

    private static int Window(ImageSize window) => window.Height == window.Width
        ? window.Height
        : throw new CheckpointException($"timm's window_size is {window}; only square windows are read.");

    private static SwinConfig Of(string size) => SwinPresets.Of(size switch
    {
        "tiny" => SwinPreset.Tiny,
        "small" => SwinPreset.Small,
        "base" => SwinPreset.Base,
        _ => SwinPreset.Large,
    });

    [GeneratedRegex(@"\Aswin(?<v2>v2)?_(?<size>tiny|small|base|large)_(patch(?<patch>\d{1,4})_)?window((?<pretrained>\d{1,4})to)?(?<window>\d{1,4})_(\d+to)?\d+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
