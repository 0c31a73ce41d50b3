namespace Microsoft.ML.VisionModels;

/// <summary>Sentences for CLIP's zero-shot classification, with <c>{}</c> in the place of the class.</summary>
public static class ClipTemplates
{
    private const string Place = "{}";

    /// <summary>"a photo of a {}."</summary>
    public static IReadOnlyList<string> Default { get; } = ["a photo of a {}."];

    /// <summary>The 80 with which the paper classifies ImageNet (arXiv 2103.00020, 3.1.4), in another order.</summary>
    public static IReadOnlyList<string> ImageNet { get; } =
    [
        "a photo of many {}.", "a photo of my {}.", "a photo of one {}.", "itap of my {}.",    // "I took an image"
        .. AAndThe("{} in a video game"),
        .. new[] { "embroidered", "plastic", "origami", "toy", "cartoon", "plushie" }.SelectMany(kind => AAndThe($"{kind} {{}}")),
        .. new[] { "hard to see", "clean", "dirty", "cool", "large", "nice", "weird", "small" }.SelectMany(kind => AAndThe($"{kind} {{}}", "a photo of ")),
        .. new[]
        {
            "a photo", "a bad photo", "a good photo", "a bright photo", "a dark photo", "a blurry photo", "a cropped photo", "a close-up photo",
            "a pixelated photo", "a low resolution photo", "a jpeg corrupted photo", "a black and white photo", "itap",
            "a drawing", "a painting", "a sketch", "a doodle", "a sculpture", "a tattoo", "a rendering", "a rendition", "graffiti", "art",
        }.SelectMany(image => AAndThe("{}", $"{image} of ")),
    ];

    /// <summary>A label as words: those of folders and columns often have underscores for spaces.</summary>
    internal static string Words(string label) => label.Replace('_', ' ');

    /// <summary>What labels are called in sentences: the words that are given for them, or they themselves.</summary>
    /// <exception cref="ArgumentException">There are words for what is no label, or empty ones.</exception>
    internal static IReadOnlyList<string> Words(IReadOnlyList<string> labels, IReadOnlyDictionary<string, string>? given)
    {
        if (given is null)
            return labels;
        var known = labels.ToHashSet();
        foreach (var (label, words) in given)
        {
            if (!known.Contains(label))
                throw new ArgumentException($"LabelWords has words for '{label}', which is none of the labels: {string.Join(", ", labels.Take(20))}.", "LabelWords");
            if (string.IsNullOrWhiteSpace(words))
                throw new ArgumentException($"LabelWords has no words for '{label}'.", "LabelWords");
        }
        return [.. labels.Select(label => given.GetValueOrDefault(label, label))];
    }

    internal static string Fill(string template, string label) => template.Replace(Place, Words(label), StringComparison.Ordinal);

    /// <exception cref="ArgumentException">There is none, or one has no place for the class.</exception>
    internal static void Validate(IReadOnlyList<string>? templates)
    {
        if (templates is not { Count: > 0 })
            throw new ArgumentException("Templates is empty; \"{}\" is the class alone.", "Templates");
        foreach (var template in templates)
        {
            if (template?.Contains(Place, StringComparison.Ordinal) != true)
                throw new ArgumentException($"The template '{template}' has no {Place}, where the class is to stand.", "Templates");
        }
    }

    private static string[] AAndThe(string thing, string start = "") => [$"{start}a {thing}.", $"{start}the {thing}."];
}
