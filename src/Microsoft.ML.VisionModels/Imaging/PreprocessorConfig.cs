using System.Text;
using System.Text.Json;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// <c>preprocessor_config.json</c> of Hugging Face. Published files leave out what their processor class sets by default,
/// and old ones give sizes as one number, whose meaning depends on the class as well.
/// </summary>
internal static class PreprocessorConfig
{
    private enum SizeNumber { Square, ShortestEdge, LongestEdge }

    /// <summary>What the processor classes assume where the file is silent.</summary>
    private sealed record Defaults(SizeNumber SizeNumber, ImageResize Resize, ResizeFilter Filter, ImageSize? Crop, ImageNormalization Normalization, ImageSize? Pad = null);

    private static readonly Defaults _vit = new(SizeNumber.Square, new ImageResize.Exact(224, 224), ResizeFilter.Bilinear, null, ImageNormalization.Half);
    private static readonly Defaults _clip = new(SizeNumber.ShortestEdge, new ImageResize.ShortestEdge(224), ResizeFilter.Bicubic, new(224, 224), ImageNormalization.Clip);

    private static readonly Dictionary<string, Defaults> _processors = new()
    {
        ["ViT"] = _vit,
        ["CLIP"] = _clip,
        ["Bit"] = _clip,
        ["DeiT"] = new(SizeNumber.Square, new ImageResize.Exact(256, 256), ResizeFilter.Bicubic, new(224, 224), ImageNormalization.Half),
        ["Siglip"] = _vit with { Filter = ResizeFilter.Bicubic },
        ["Blip"] = new(SizeNumber.Square, new ImageResize.Exact(384, 384), ResizeFilter.Bicubic, null, ImageNormalization.Clip),
        ["Sam"] = new(SizeNumber.LongestEdge, new ImageResize.LongestEdge(1024), ResizeFilter.Bilinear, null, ImageNormalization.ImageNet, new(1024, 1024)),
    };

    private static readonly string[] _classSuffixes = ["ImageProcessorFast", "ImageProcessor", "FeatureExtractor"];

    /// <summary>Steps of other processors that change the pixels.</summary>
    private static readonly string[] _unsupported = ["crop_pct", "do_flip_channel_order", "rescale_offset"];

    public static ImagePreprocessing Read(JsonElement config)
    {
        if (config.ValueKind != JsonValueKind.Object)
            throw new FormatException("preprocessor_config.json must hold an object.");
        foreach (var name in _unsupported)
        {
            if (Find(config, name) is { ValueKind: not JsonValueKind.False } value)
                throw new FormatException($"preprocessor_config.json asks for '{name}' ({value.GetRawText()}), which is not supported.");
        }

        var defaults = DefaultsOf(config);
        var preprocessing = new ImagePreprocessing
        {
            Resize = Flag(config, "do_resize", true) ? ReadResize(config, defaults) : null,
            Filter = Find(config, "resample") is { } resample ? (ResizeFilter)Integer(resample, "resample") : defaults.Filter,
            CenterCrop = Flag(config, "do_center_crop", defaults.Crop is not null) ? ReadSize(config, "crop_size", defaults.Crop) : null,
            TorchvisionCrop = Find(config, "crop_offset")?.ValueEquals("torchvision") ?? false,
            RescaleFactor = !Flag(config, "do_rescale", true) ? 1
                : Find(config, "rescale_factor") is { } factor ? Number(factor, "rescale_factor") : 1 / 255.0,
            Normalization = Flag(config, "do_normalize", true) ? ReadNormalization(config, defaults.Normalization) : null,
            Pad = Flag(config, "do_pad", defaults.Pad is not null) ? ReadSize(config, "pad_size", defaults.Pad) : null,
        };
        try
        {
            preprocessing.Validate();
        }
        catch (ArgumentException error)
        {
            throw new FormatException($"preprocessor_config.json: {error.Message}", error);
        }
        return preprocessing;
    }

    public static string Write(ImagePreprocessing preprocessing)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("image_processor_type", ProcessorFor(preprocessing) + "ImageProcessor");
            json.WriteBoolean("do_convert_rgb", true);

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
                json.WriteString("crop_offset", "torchvision"); // ours: Hugging Face's processors skip keys they do not know

            json.WriteBoolean("do_rescale", preprocessing.RescaleFactor != 1);
            json.WriteNumber("rescale_factor", preprocessing.RescaleFactor);

            json.WriteBoolean("do_normalize", preprocessing.Normalization is not null);
            if (preprocessing.Normalization is { } normalization)
            {
                WriteChannels(json, "image_mean", normalization.Mean);
                WriteChannels(json, "image_std", normalization.Std);
            }

            json.WriteBoolean("do_pad", preprocessing.Pad is not null);
            if (preprocessing.Pad is { } pad)
                WriteSize(json, "pad_size", pad);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>The processor class that takes these steps, as near as there is one.</summary>
    private static string ProcessorFor(ImagePreprocessing preprocessing) => preprocessing switch
    {
        { Pad: not null } or { Resize: ImageResize.LongestEdge } => "Sam",
        { Resize: ImageResize.Exact, CenterCrop: not null } => "DeiT",
        { Resize: ImageResize.ShortestEdge } or { CenterCrop: not null } => "CLIP",
        _ => "ViT",
    };

    private static Defaults DefaultsOf(JsonElement config)
    {
        var type = (Find(config, "image_processor_type") ?? Find(config, "feature_extractor_type"))?.ToString();
        if (type is null)
            return Flag(config, "do_center_crop", false) ? _clip : _vit;

        var name = _classSuffixes.Where(suffix => type.EndsWith(suffix, StringComparison.Ordinal)).Select(suffix => type[..^suffix.Length]).FirstOrDefault(type);
        if (_processors.TryGetValue(name, out var defaults))
            return defaults;
        // A class we do not know is taken at its word where it spells everything out.
        if (Find(config, "size") is { ValueKind: JsonValueKind.Object } && Find(config, "resample") is not null)
            return _vit;
        throw new FormatException($"preprocessor_config.json is of the type '{type}', whose defaults are not known; "
            + $"give 'size' as an object and 'resample', or use one of {string.Join(", ", _processors.Keys)}.");
    }

    private static ImageResize ReadResize(JsonElement config, Defaults defaults)
    {
        if (Find(config, "size") is not { } size)
            return defaults.Resize;
        if (size.ValueKind == JsonValueKind.Number)
        {
            var length = Integer(size, "size");
            return defaults.SizeNumber switch
            {
                SizeNumber.ShortestEdge => new ImageResize.ShortestEdge(length),
                SizeNumber.LongestEdge => new ImageResize.LongestEdge(length),
                _ => new ImageResize.Exact(length, length),
            };
        }
        if (size.ValueKind == JsonValueKind.Object)
        {
            var (height, width) = (Find(size, "height"), Find(size, "width"));
            var (shortest, longest) = (Find(size, "shortest_edge"), Find(size, "longest_edge"));
            if (height is { } h && width is { } w && shortest is null && longest is null)
                return new ImageResize.Exact(Integer(h, "size.height"), Integer(w, "size.width"));
            if (height is null && width is null && longest is null && shortest is { } s)
                return new ImageResize.ShortestEdge(Integer(s, "size.shortest_edge"));
            if (height is null && width is null && shortest is null && longest is { } l)
                return new ImageResize.LongestEdge(Integer(l, "size.longest_edge"));
        }
        throw new FormatException("preprocessor_config.json: 'size' must be a number, or have height and width, or shortest_edge, or longest_edge; "
            + $"it is {size.GetRawText()}.");
    }

    private static ImageSize ReadSize(JsonElement config, string name, ImageSize? ifAbsent)
    {
        if (Find(config, name) is not { } size)
            return ifAbsent ?? throw new FormatException($"preprocessor_config.json lacks '{name}'.");
        if (size.ValueKind == JsonValueKind.Number)
            return new(Integer(size, name), Integer(size, name));
        if (size.ValueKind == JsonValueKind.Object && Find(size, "height") is { } height && Find(size, "width") is { } width)
            return new(Integer(height, name + ".height"), Integer(width, name + ".width"));
        throw new FormatException($"preprocessor_config.json: '{name}' must be a number, or have height and width; it is {size.GetRawText()}.");
    }

    private static ImageNormalization ReadNormalization(JsonElement config, ImageNormalization defaults) =>
        new(ReadChannels(config, "image_mean", defaults.Mean), ReadChannels(config, "image_std", defaults.Std));

    private static (float, float, float) ReadChannels(JsonElement config, string name, (float, float, float) ifAbsent)
    {
        if (Find(config, name) is not { } value)
            return ifAbsent;
        if (value.ValueKind == JsonValueKind.Number)
            return ((float)Number(value, name), (float)Number(value, name), (float)Number(value, name));
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != 3)
            throw new FormatException($"preprocessor_config.json: '{name}' must have three numbers; it is {value.GetRawText()}.");
        return ((float)Number(value[0], name), (float)Number(value[1], name), (float)Number(value[2], name));
    }

    /// <summary>A property's value; null counts as absent.</summary>
    private static JsonElement? Find(JsonElement config, string name) =>
        config.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static bool Flag(JsonElement config, string name, bool ifAbsent) => Find(config, name) switch
    {
        null => ifAbsent,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw new FormatException($"preprocessor_config.json: '{name}' must be true or false; it is {value.GetRawText()}."),
    };

    private static int Integer(JsonElement value, string name) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
        ? number
        : throw new FormatException($"preprocessor_config.json: '{name}' must be a whole number; it is {value.GetRawText()}.");

    private static double Number(JsonElement value, string name) => value.ValueKind == JsonValueKind.Number
        ? value.GetDouble()
        : throw new FormatException($"preprocessor_config.json: '{name}' must be a number; it is {value.GetRawText()}.");

    private static void WriteSize(Utf8JsonWriter json, string name, ImageSize size)
    {
        json.WriteStartObject(name);
        json.WriteNumber("height", size.Height);
        json.WriteNumber("width", size.Width);
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
