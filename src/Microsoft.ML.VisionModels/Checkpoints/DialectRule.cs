using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>How a publisher names some of a network's tensors: a pattern of our names, and the pattern of theirs with the same wildcards.</summary>
/// <example><c>("blocks.*.attn.qkv.*", "encoder.layer.*.attention.attention.{query,key,value}.*")</c></example>
internal sealed class DialectRule
{
    /// <param name="canonical">Our names; <c>*</c> stands for one segment, <c>**</c> for one or more.</param>
    /// <param name="foreign">Their names; <c>{a,b,c}</c> says that our tensor is theirs concatenated along the first dimension.</param>
    public DialectRule(string canonical, string foreign)
    {
        Canonical = new NamePattern(canonical);
        Foreign = [.. Alternatives(foreign).Select(name => new NamePattern(name))];
        if (Foreign.Any(part => part.WildcardCount != Canonical.WildcardCount))
            throw new ArgumentException($"'{canonical}' and '{foreign}' differ in their number of wildcards.", nameof(foreign));
    }

    public static implicit operator DialectRule((string Canonical, string Foreign) names) => new(names.Canonical, names.Foreign);

    public NamePattern Canonical { get; }

    /// <summary>One pattern, or one for each part.</summary>
    public IReadOnlyList<NamePattern> Foreign { get; }

    /// <summary>Whether their matrix is ours transposed.</summary>
    public bool Transpose { get; init; }

    /// <summary>Their shape, given ours, where the elements are the same: a linear layer stored as a 1x1 convolution is <c>shape => [.. shape, 1, 1]</c>.</summary>
    public Func<long[], long[]>? Reshape { get; init; }

    /// <summary>The view of our tensor, or of its part, whose elements are in the order of theirs, where they order them otherwise.</summary>
    public Func<Tensor, Tensor>? View { get; init; }

    /// <summary>Their shape of one part, given ours of the whole tensor.</summary>
    public long[] ForeignShape(long[] shape)
    {
        if (Foreign.Count > 1 && (shape.Length == 0 || shape[0] % Foreign.Count != 0))
            throw new InvalidOperationException($"'{Canonical.Text}' of shape {shape.Text()} does not fall into {Foreign.Count} equal parts.");
        long[] part = Foreign.Count == 1 ? shape : [shape[0] / Foreign.Count, .. shape[1..]];
        if (Transpose)
            part = [part[1], part[0]];
        return Reshape?.Invoke(part) ?? part;
    }

    private static string[] Alternatives(string pattern)
    {
        var open = pattern.IndexOf('{', StringComparison.Ordinal);
        var close = pattern.IndexOf('}', StringComparison.Ordinal);
        return open < 0
            ? [pattern]
            : [.. pattern[(open + 1)..close].Split(',').Select(word => pattern[..open] + word + pattern[(close + 1)..])];
    }
}
