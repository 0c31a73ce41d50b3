using System.Globalization;
using System.Text.Json;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>The classes of a published classifier: how many there are, and their names.</summary>
internal static class PublishedClasses
{
    // What Hugging Face's library has where its configuration says nothing.
    private const int LibraryDefault = 2;

    /// <summary>The number of classes, which the checkpoint's head tells; null where it has none. Without a checkpoint it is what the configuration says.</summary>
    /// <param name="config">Hugging Face's <c>config.json</c>.</param>
    /// <param name="tensors">The tensors of the checkpoint beside it; null where there is none.</param>
    /// <param name="heads">The names of the head's weights, without what may stand before them.</param>
    public static int? Count(JsonElement config, IReadOnlyDictionary<string, TensorInfo>? tensors, params IReadOnlyList<string> heads)
    {
        if (tensors is not null)
            return Count(tensors, heads);
        return config.Architecture().Contains("ForImageClassification", StringComparison.Ordinal) ? config.Labels()?.Length ?? config.Get("num_labels", LibraryDefault) : null;
    }

    /// <inheritdoc cref="Count(JsonElement, IReadOnlyDictionary{string, TensorInfo}?, IReadOnlyList{string})"/>
    public static int? Count(IReadOnlyDictionary<string, TensorInfo> tensors, params IReadOnlyList<string> heads) =>
        tensors.Values.FirstOrDefault(tensor => tensor.Shape.Count == 2 && heads.Any(head => IsCalled(tensor.Name, head))) is { } found ? (int)Math.Min(found.Shape[0], int.MaxValue) : null;

    /// <summary>Whether there is a tensor of this name, whatever stands before it.</summary>
    public static bool Has(IReadOnlyDictionary<string, TensorInfo> tensors, string name) => tensors.Keys.Any(tensor => IsCalled(tensor, name));

    /// <summary>The names of the classes; those that Hugging Face's library gives where there are none, or not as many as classes, which is said.</summary>
    /// <param name="published">The names that came with the checkpoint; null where none did.</param>
    /// <param name="classes">How many classes there are.</param>
    /// <param name="path">The checkpoint, for the message.</param>
    public static string[] Names(string[]? published, int classes, string path)
    {
        if (published?.Length == classes)
            return published;
        Notices.Say($"{path}: config.json names {published?.Length.ToString(CultureInfo.InvariantCulture) ?? "none"} of the {classes} classes, which are called LABEL_0 to LABEL_{classes - 1}. Labels names them.");
        return [.. Enumerable.Range(0, classes).Select(id => $"LABEL_{id}")];
    }

    private static bool IsCalled(string tensor, string name) => tensor == name || tensor.EndsWith("." + name, StringComparison.Ordinal);
}
