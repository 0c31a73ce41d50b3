using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>The image processor classes that the checkpoints of a family name. Families implement it; <see cref="Registry"/> finds them.</summary>
internal interface IImageProcessors
{
    IEnumerable<ImageProcessorClass> All => [];

    /// <summary>For each model type of the family the name of the class that its folders have where they name none.</summary>
    IReadOnlyDictionary<string, string> OfModelTypes { get; }
}

/// <summary>An image processor class of Hugging Face's transformers, such as <c>ViTImageProcessor</c>.</summary>
/// <param name="Name">The name without "ImageProcessor".</param>
/// <param name="Defaults">
/// The settings that the class has where <c>preprocessor_config.json</c> is silent. Where the file gives <c>size</c> as one number, it
/// means what <see cref="ImagePreprocessing.Resize"/> is here: a square, the shortest edge or the longest edge.
/// </param>
internal sealed record ImageProcessorClass(string Name, ImagePreprocessing Defaults)
{
    /// <summary>
    /// Whether the class takes the steps of a preprocessing, which is then written under the class's name. For every preprocessing this
    /// is true of one class; by default a class is only read.
    /// </summary>
    public Func<ImagePreprocessing, bool> Matches { get; init; } = _ => false;

    /// <summary>
    /// The share of the resized edge that the crop keeps where <c>crop_pct</c> is silent; null for a class that knows no such key. The
    /// crop is <c>size</c>, which means the shortest edge; from <see cref="PreprocessorConfig.UncroppedFrom"/> on all of the image is squeezed into it.
    /// </summary>
    public double? CropShare { get; init; }

    /// <summary>
    /// Old files name no class. Whether this class is assumed for those with a center crop (true) or for those without (false); null,
    /// the default, for neither.
    /// </summary>
    public bool? AssumedForCenterCrop { get; init; }
}

/// <summary>Reads and writes Hugging Face's <c>preprocessor_config.json</c>.</summary>
internal static class PreprocessorConfig
{
    /// <summary>The side of a crop from which on classes with <see cref="ImageProcessorClass.CropShare"/> do not crop.</summary>
    public const int UncroppedFrom = 384;

    private const string ClassSuffix = "ImageProcessor", CropShareKey = "crop_pct", MeanImageKey = "mean_image";

    private static readonly string[] s_classSuffixes = ["ImageProcessorFast", "ImageProcessorPil", ClassSuffix, "FeatureExtractor"];

    /// <summary>Entries that ask for steps which change the pixels and which <see cref="ImagePreprocessing"/> does not have.</summary>
    private static readonly string[] s_unsupported = ["rescale_offset"];

    private static readonly Dictionary<string, string> s_ofModelTypes = Registry.All<IImageProcessors>().SelectMany(family => family.OfModelTypes).ToDictionary();

    /// <summary>The classes of all families.</summary>
    public static IReadOnlyList<ImageProcessorClass> Classes { get; } = [.. Registry.All<IImageProcessors>().SelectMany(family => family.All)];

    /// <summary>Reads the settings of a <c>preprocessor_config.json</c>.</summary>
    /// <param name="config">The root object of the file.</param>
    /// <param name="modelType">The model type that config.json tells: it decides for a file that names no class. Null where it is not known.</param>
    /// <exception cref="FormatException">The settings are malformed, or ask for a step that is not supported.</exception>
    public static ImagePreprocessing Read(JsonElement config, string? modelType = null)
    {
        try
        {
            var preprocessing = ReadSettings(config, modelType);
            preprocessing.Validate();
            return preprocessing;
        }
        catch (Exception error) when (error is CheckpointException or ArgumentException)
        {
            throw new FormatException($"preprocessor_config.json: {error.Message}", error);
        }
    }

    private static ImagePreprocessing ReadSettings(JsonElement config, string? modelType)
    {
        if (config.ValueKind != JsonValueKind.Object)
            throw new CheckpointException("The file must hold an object.");
        foreach (var name in s_unsupported)
        {
            if (config.Optional(name) is { ValueKind: not JsonValueKind.False } value)
                throw new CheckpointException($"'{name}' ({value.GetRawText()}) is not supported.");
        }

        var known = ClassOf(config, modelType);
        var defaults = known.Defaults;
        var resizes = config.Get("do_resize", true);
        var preprocessing = new ImagePreprocessing
        {
            Resize = resizes ? ReadResize(config, defaults.Resize) : null,
            Filter = (ResizeFilter)config.Get("resample", (int)defaults.Filter),
            CenterCrop = config.Get("do_center_crop", defaults.CenterCrop is not null) ? ReadSize(config, "crop_size", defaults.CenterCrop) : null,
            TorchvisionCrop = config.Get("crop_offset", "") == "torchvision",
            ConvertAfterResize = config.Get("convert_rgb", "") == "after_resize",
            RescaleFactor = config.Get("do_rescale", true) ? config.Get("rescale_factor", defaults.RescaleFactor) : 1,
            Normalization = config.Get("do_normalize", true)
                ? new(ReadChannels(config, "image_mean", defaults.Normalization?.Mean), ReadChannels(config, "image_std", defaults.Normalization?.Std))
                : null,
            ChannelOrder = config.Get("do_flip_channel_order", defaults.ChannelOrder == ChannelOrder.Bgr) ? ChannelOrder.Bgr : ChannelOrder.Rgb,
            MeanImage = ReadMeanImage(config),
            Pad = config.Get("do_pad", defaults.Pad is not null) ? ReadSize(config, "pad_size", defaults.Pad) : null,
        };
        return resizes && known.CropShare is { } share ? CropByShare(preprocessing, config.Get(CropShareKey, share)) : preprocessing;
    }

    private static ImageProcessorClass ClassOf(JsonElement config, string? modelType)
    {
        var type = config.Get("image_processor_type", config.Get("feature_extractor_type", ""));
        var name = type != ""
            ? s_classSuffixes.Where(suffix => type.EndsWith(suffix, StringComparison.Ordinal)).Select(suffix => type[..^suffix.Length]).FirstOrDefault(type)
            : s_ofModelTypes.GetValueOrDefault(modelType ?? "");
        var found = Classes.FirstOrDefault(known => known.Name == name);
        if (config.Optional(CropShareKey) is { } share && found?.CropShare is null)
        {
            if (found is null)
                throw new CheckpointException($"'{CropShareKey}' ({share.GetRawText()}) of {(type == "" ? "a file without 'image_processor_type'" : $"the type '{type}'")} is not supported.");
            Notices.Say($"preprocessor_config.json has '{CropShareKey}' ({share.GetRawText()}), which {name}{ClassSuffix} passes over, and so is passed over. Preprocessing decides otherwise.");
        }
        if (found is not null)
            return found;

        // A file of an unknown class can still be read where the settings that differ most between classes are all in it.
        if (type != "" && (config.Optional("size") is not { ValueKind: JsonValueKind.Object or JsonValueKind.Array } || config.Optional("resample") is null))
        {
            throw new CheckpointException($"The defaults of the type '{type}' are not known; "
                + $"give 'size' as an object and 'resample', or use one of {string.Join(", ", Classes.Select(known => known.Name))}.");
        }
        var assumed = Classes.First(known => known.AssumedForCenterCrop == (type == "" && config.Get("do_center_crop", false)));
        Notices.Say($"preprocessor_config.json {(type == "" ? "names no 'image_processor_type'" : $"names the type '{type}', which is not known")}: what it leaves out is as {assumed.Name}{ClassSuffix} has it. Preprocessing decides otherwise.");
        return assumed;
    }

    private static ImagePreprocessing CropByShare(ImagePreprocessing preprocessing, double share) => preprocessing.Resize switch
    {
        ImageResize.ShortestEdge { Length: >= UncroppedFrom and var length } => preprocessing with { Resize = new ImageResize.Exact(length, length) },
        ImageResize.ShortestEdge { Length: var length } when share > 0 => preprocessing with { Resize = new ImageResize.ShortestEdge((int)(length / share)), CenterCrop = length },
        _ => throw new CheckpointException($"'size' must be a number, or have shortest_edge, for a crop by '{CropShareKey}', which must be more than 0."),
    };

    private static ImageResize ReadResize(JsonElement config, ImageResize? fallback)
    {
        if (config.Optional("size") is not { } size)
            return fallback ?? throw Missing("size");
        if (size.ValueKind == JsonValueKind.Number)
        {
            var length = size.Integer("size");
            return fallback switch
            {
                ImageResize.ShortestEdge => new ImageResize.ShortestEdge(length),
                ImageResize.LongestEdge => new ImageResize.LongestEdge(length),
                _ => new ImageResize.Exact(length, length),
            };
        }
        if (Pair(size, "size") is { } pair)
            return new ImageResize.Exact(pair.Height, pair.Width);
        if (size.ValueKind == JsonValueKind.Object)
        {
            switch (size.Optional("height"), size.Optional("width"), size.Optional("shortest_edge"), size.Optional("longest_edge"))
            {
                case ({ } height, { } width, null, null): return new ImageResize.Exact(height.Integer("size.height"), width.Integer("size.width"));
                case (null, null, { } shortest, null): return new ImageResize.ShortestEdge(shortest.Integer("size.shortest_edge"));
                case (null, null, null, { } longest): return new ImageResize.LongestEdge(longest.Integer("size.longest_edge"));
            }
        }
        throw new CheckpointException($"'size' must be a number, [height, width], or have height and width, or shortest_edge, or longest_edge; it is {size.GetRawText()}.");
    }

    private static ImageSize? Pair(JsonElement size, string name) =>
        size.ValueKind == JsonValueKind.Array && size.GetArrayLength() == 2 ? new(size[0].Integer(name), size[1].Integer(name)) : null;

    private static ImageSize ReadSize(JsonElement config, string name, ImageSize? fallback)
    {
        if (config.Optional(name) is not { } size)
            return fallback ?? throw Missing(name);
        if (size.ValueKind == JsonValueKind.Number)
            return size.Integer(name);
        if (Pair(size, name) is { } pair)
            return pair;
        if (size.ValueKind == JsonValueKind.Object && size.Optional("height") is { } height && size.Optional("width") is { } width)
            return new(height.Integer(name + ".height"), width.Integer(name + ".width"));
        throw new CheckpointException($"'{name}' must be a number, [height, width], or have height and width; it is {size.GetRawText()}.");
    }

    private static (float, float, float) ReadChannels(JsonElement config, string name, (float, float, float)? fallback)
    {
        if (config.Optional(name) is not { } value)
            return fallback ?? throw Missing(name);
        if (value.ValueKind == JsonValueKind.Number)
            return (Channel(value), Channel(value), Channel(value));
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != 3)
            throw new CheckpointException($"'{name}' must have three numbers; it is {value.GetRawText()}.");
        return (Channel(value[0]), Channel(value[1]), Channel(value[2]));

        float Channel(JsonElement number) => (float)number.Number(name);
    }

    private static MeanImage? ReadMeanImage(JsonElement config)
    {
        if (config.Optional(MeanImageKey) is not { } image)
            return null;
        if (image.ValueKind != JsonValueKind.Object || image.Optional("height") is not { } height || image.Optional("width") is not { } width
            || image.Optional("values") is not { ValueKind: JsonValueKind.String } values || !values.TryGetBytesFromBase64(out var bytes) || bytes.Length % sizeof(float) != 0)
        {
            throw new CheckpointException($"'{MeanImageKey}' must have height, width and values, which are 32-bit numbers in base 64.");
        }
        return new(height.Integer(MeanImageKey + ".height"), width.Integer(MeanImageKey + ".width"), MemoryMarshal.Cast<byte, float>(bytes).ToArray());
    }

    private static CheckpointException Missing(string name) => new($"'{name}' is missing.");

    public static string Write(ImagePreprocessing preprocessing)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("image_processor_type", ClassFor(preprocessing).Name + ClassSuffix);
            json.WriteBoolean("do_convert_rgb", true);
            if (preprocessing.ConvertAfterResize)
                json.WriteString("convert_rgb", "after_resize"); // not an entry of Hugging Face's, whose processors ignore unknown entries

            json.WriteBoolean("do_resize", preprocessing.Resize is not null);
            json.WriteNumber("resample", (int)preprocessing.Filter);
            switch (preprocessing.Resize)
            {
                case ImageResize.Exact exact: WriteSize(json, "size", new(exact.Height, exact.Width)); break;
                case ImageResize.ShortestEdge edge: WriteEdge(json, "shortest_edge", edge.Length); break;
                case ImageResize.LongestEdge edge: WriteEdge(json, "longest_edge", edge.Length); break;
            }

            json.WriteBoolean("do_center_crop", preprocessing.CenterCrop is not null);
            if (preprocessing.CenterCrop is { } crop)
                WriteSize(json, "crop_size", crop);
            if (preprocessing.TorchvisionCrop)
                json.WriteString("crop_offset", "torchvision"); // nor this

            json.WriteBoolean("do_rescale", preprocessing.RescaleFactor != 1);
            json.WriteNumber("rescale_factor", preprocessing.RescaleFactor);

            json.WriteBoolean("do_normalize", preprocessing.Normalization is not null);
            if (preprocessing.Normalization is { } normalization)
            {
                WriteChannels(json, "image_mean", normalization.Mean);
                WriteChannels(json, "image_std", normalization.Std);
            }

            if (preprocessing.ChannelOrder == ChannelOrder.Bgr)
                json.WriteBoolean("do_flip_channel_order", true);
            if (preprocessing.MeanImage is { } mean)
                WriteSize(json, MeanImageKey, new(mean.Height, mean.Width), () => json.WriteBase64String("values", MemoryMarshal.AsBytes(mean.Values.Span))); // nor this

            json.WriteBoolean("do_pad", preprocessing.Pad is not null);
            if (preprocessing.Pad is { } pad)
                WriteSize(json, "pad_size", pad);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static ImageProcessorClass ClassFor(ImagePreprocessing preprocessing) => Classes.First(known => known.Matches(preprocessing));

    private static void WriteSize(Utf8JsonWriter json, string name, ImageSize size, Action? more = null)
    {
        json.WriteStartObject(name);
        json.WriteNumber("height", size.Height);
        json.WriteNumber("width", size.Width);
        more?.Invoke();
        json.WriteEndObject();
    }

    private static void WriteEdge(Utf8JsonWriter json, string name, int length)
    {
        json.WriteStartObject("size");
        json.WriteNumber(name, length);
        json.WriteEndObject();
    }

    private static void WriteChannels(Utf8JsonWriter json, string name, (float Red, float Green, float Blue) channels)
    {
        json.WriteStartArray(name);
        json.WriteNumberValue(channels.Red);
        json.WriteNumberValue(channels.Green);
        json.WriteNumberValue(channels.Blue);
        json.WriteEndArray();
    }
}
