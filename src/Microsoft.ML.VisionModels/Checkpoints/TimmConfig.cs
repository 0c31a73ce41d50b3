using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// timm's <c>config.json</c>: the name of an architecture, what was chosen otherwise than that has it, how images are prepared, and
/// perhaps the names of the classes. Older files have the entries of <c>pretrained_cfg</c> among the others.
/// </summary>
internal sealed partial class TimmConfig
{
    private const double DefaultCropShare = 0.875;

    private readonly JsonElement _config, _images;

    private TimmConfig(JsonElement config)
    {
        _config = config;
        _images = config.Optional("pretrained_cfg") is null ? config : config.Part("pretrained_cfg");
        Arguments = config.Part("model_args");
    }

    /// <summary>The architecture by its present name: without the tag of its weights, which also stood behind an underscore once.</summary>
    public string Architecture => Tag().Replace(_config.Get("architecture", ""), "");

    /// <summary>What was chosen otherwise than the architecture has it, by the names of timm's arguments; an empty object where nothing was.</summary>
    public JsonElement Arguments { get; }

    /// <summary>The configuration as timm's; null where it is another's. Hugging Face's library wraps networks of timm, and keeps the entries.</summary>
    public static TimmConfig? Of(JsonElement config) =>
        config.Optional("architecture") is not null && config.Get("model_type", "timm_wrapper") == "timm_wrapper" ? new(config) : null;

    /// <exception cref="CheckpointException">An argument is none of those that are read, and so the network would compute something else.</exception>
    public void CheckArguments(params string[] known)
    {
        // Of training alone, or of images of other sizes.
        string[] passedOver = ["num_classes", "drop_rate", "pos_drop_rate", "patch_drop_rate", "proj_drop_rate", "attn_drop_rate", "drop_path_rate", "weight_init", "dynamic_img_size", "dynamic_img_pad", "strict_img_size"];
        if (Arguments.EnumerateObject().FirstOrDefault(entry => entry.Value.ValueKind != JsonValueKind.Null && !known.Contains(entry.Name) && !passedOver.Contains(entry.Name)) is { Value.ValueKind: not JsonValueKind.Undefined } other)
            throw new CheckpointException($"timm's model_args has '{other.Name}'; of these are read: {string.Join(", ", known)}.");
    }

    /// <exception cref="CheckpointException">Always: the architecture is none of those that are read.</exception>
    public CheckpointException Unknown(string read) => new($"The configuration is timm's of '{_config.Get("architecture", "")}'. Read are {read}.");

    /// <summary>The size of the network's images: that which was chosen for it, else that of the images that it was trained with.</summary>
    public ImageSize NetworkSize => Arguments.Optional("img_size") is null ? ImageSize : Arguments.Size("img_size", 0);

    /// <summary>The size of the images that the network was trained with.</summary>
    public ImageSize ImageSize => _images.Integers("input_size") switch
    {
        null => new ImageSize(224, 224),
        [_, > 0 and var height, > 0 and var width] => new ImageSize(height, width),
        _ => throw new CheckpointException($"timm's 'input_size' must be channels, height and width; it is {_images.Optional("input_size")?.GetRawText()}."),
    };

    /// <summary>The names of the classes: the descriptions where names are codes that have some; null where there are none.</summary>
    public string[]? Labels()
    {
        if ((_config.Optional("label_names") ?? _config.Optional("labels")) is not { } names)
            return _config.Labels();
        var labels = names.ValueKind == JsonValueKind.Array
            ? [.. names.EnumerateArray().Select(name => JsonConfig.LabelOf(name) ?? throw new CheckpointException($"timm's 'label_names' must be names; one is {name.GetRawText()}."))]
            : JsonConfig.Labels(names, "label_names");
        var descriptions = _config.Part("label_descriptions");
        return [.. labels.Select(label => descriptions.Get(label, label))];
    }

    /// <summary>How timm prepares an image for scoring: resized so that the crop is a share of it, cropped, scaled and normalized.</summary>
    /// <exception cref="CheckpointException">The way is not known here.</exception>
    public ImagePreprocessing Preprocessing()
    {
        var (size, share) = (ImageSize, _images.Get("crop_pct", DefaultCropShare));
        if (share == 0)
            share = DefaultCropShare;       // as timm has it
        var (height, width) = ((int)Math.Floor(size.Height / share), (int)Math.Floor(size.Width / share));
        var preprocessing = new ImagePreprocessing
        {
            Resize = _images.Get("crop_mode", "center") switch
            {
                "center" when height == width => new ImageResize.ShortestEdge(height),
                "squash" => new ImageResize.Exact(height, width),
                var mode => throw new CheckpointException($"timm's crop_mode '{mode}' for images of {size} is not known here; set Preprocessing."),
            },
            Filter = Filter(_images.Get("interpolation", "bicubic")),
            CenterCrop = size,
            TorchvisionCrop = true,
            Normalization = new(Channels("mean", ImageNormalization.ImageNet.Mean), Channels("std", ImageNormalization.ImageNet.Std)),
        };
        preprocessing.Validate();
        return preprocessing;
    }

    private static ResizeFilter Filter(string name)
    {
        var known = Enum.GetValues<ResizeFilter>().ToDictionary(filter => $"{filter}".ToLowerInvariant());
        return known.TryGetValue(name, out var filter) ? filter : throw new CheckpointException($"timm's interpolation '{name}' is not known here; known are {string.Join(", ", known.Keys)}.");
    }

    private (float, float, float) Channels(string name, (float, float, float) fallback)
    {
        if (_images.Optional(name) is not { } values)
            return fallback;
        return values.ValueKind == JsonValueKind.Array && values.GetArrayLength() == 3
            ? (Channel(0), Channel(1), Channel(2))
            : throw new CheckpointException($"timm's '{name}' must have three numbers; it is {values.GetRawText()}.");

        float Channel(int index) => (float)values[index].Number(name);
    }

    [GeneratedRegex(@"\..*|_(in21k|in22k|22k|22kft1k|dino|sam)\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Tag();
}
