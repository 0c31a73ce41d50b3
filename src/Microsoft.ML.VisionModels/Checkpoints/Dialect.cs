using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// How one publisher names a network's tensors. The rules are data that is used in both directions, to load the publisher's files into our
/// network and to save our network under the publisher's names. "Canonical" names are those of our network, "foreign" names the publisher's.
/// </summary>
/// <param name="name">The publisher, for messages.</param>
internal sealed class Dialect(string name)
{
    private readonly NamePattern[] _ignored = [];

    /// <summary>Files with the canonical names.</summary>
    public static Dialect Identity { get; } = new("canonical") { Rules = [("**", "**")] };

    public string Name { get; } = name;

    /// <summary>The rules for the network's tensors. Of the rules that match a name, the first is used.</summary>
    public required IReadOnlyList<DialectRule> Rules { get; init; }

    /// <summary>The rules for tensors of heads, whose foreign names never have a prefix. They come before <see cref="Rules"/>.</summary>
    public IReadOnlyList<DialectRule> Heads { get; init; } = [];

    /// <summary>Prefixes that the foreign names of a file may have, all but those of heads. A network with a head is saved with the first one.</summary>
    public IReadOnlyList<string> Prefixes { get; init; } = [];

    /// <summary>Patterns of foreign names that our network does not need, such as buffers or an unused pooler.</summary>
    public IReadOnlyList<string> Ignored
    {
        get => [.. _ignored.Select(pattern => pattern.Text)];
        init => _ignored = [.. value.Select(text => new NamePattern(text))];
    }

    /// <summary>The dialect that knows the most names of the checkpoint; of several, the first.</summary>
    /// <exception cref="CheckpointException">None knows more than half of the names.</exception>
    public static Dialect For(Checkpoint checkpoint, params IReadOnlyList<Dialect> dialects)
    {
        var best = dialects.MaxBy(dialect => dialect.CountKnown(checkpoint));
        if (best is not null && best.Recognizes(checkpoint))
            return best;

        var found = string.Join(", ", checkpoint.Tensors.Keys.Take(5).Select(tensor => $"'{tensor}'"));
        throw new CheckpointException(
            $"{checkpoint.Path}: the tensors' names are not those of a known publisher. Tried: {string.Join(", ", dialects.Select(dialect => dialect.Name))}. " +
            $"Found {checkpoint.Tensors.Count} tensors: {found}{(checkpoint.Tensors.Count > 5 ? ", ..." : "")}.");
    }

    /// <summary>Whether the dialect knows most of the checkpoint's names. Strict loading then reports the unknown ones.</summary>
    public bool Recognizes(Checkpoint checkpoint) => 2 * CountKnown(checkpoint) > checkpoint.Tensors.Count;

    /// <summary>The foreign tensors of a network as the publisher would publish it: those of a manifest, without the ignored ones.</summary>
    public IEnumerable<(string Name, long[] Shape)> ForeignTensors(IEnumerable<(string Name, long[] Shape)> network)
    {
        var tensors = network.ToArray();
        var prefix = OfficialPrefix(tensors.Select(tensor => tensor.Name));
        return tensors.Select(tensor => Map(tensor.Name, tensor.Shape, prefix)).SelectMany(map => map.Parts.Select(part => (part, map.PartShape)));
    }

    /// <summary>The foreign names and shapes for a tensor of the network.</summary>
    /// <exception cref="InvalidOperationException">No rule matches it.</exception>
    internal TensorMap Map(string canonical, long[] shape, string prefix)
    {
        foreach (var (rule, rulePrefix) in RulesWith(prefix))
        {
            if (rule.Canonical.Match(canonical) is { } wildcards)
                return new TensorMap(canonical, rule, [.. rule.Names.Select(name => name.Select(part => rulePrefix + part.Fill(wildcards)).ToArray())], rule.ForeignShape(shape));
        }
        throw new InvalidOperationException($"{Name} has no name for the network's tensor '{canonical}'.");
    }

    /// <summary>The canonical name for a foreign one; null where no rule matches it.</summary>
    internal string? Canonical(string foreign, string prefix)
    {
        foreach (var (rule, rulePrefix) in RulesWith(prefix))
        {
            if (!foreign.StartsWith(rulePrefix, StringComparison.Ordinal))
                continue;
            foreach (var part in rule.Names.SelectMany(name => name))
            {
                if (part.Match(foreign[rulePrefix.Length..]) is { } wildcards)
                    return rule.Canonical.Fill(wildcards);
            }
        }
        return null;
    }

    /// <summary>Whether our network does without a foreign tensor, or has it by another name, as the tied ones.</summary>
    internal bool Ignores(string foreign, string prefix)
    {
        var inner = foreign.StartsWith(prefix, StringComparison.Ordinal) ? foreign[prefix.Length..] : foreign;
        return _ignored.Any(pattern => pattern.IsMatch(foreign) || pattern.IsMatch(inner)) || Rules.Any(rule => rule.Names.Skip(1).Any(name => name.Any(part => part.IsMatch(inner))));
    }

    /// <summary>The prefix, which may be empty, with which the dialect knows the most names of the checkpoint.</summary>
    internal string PrefixIn(Checkpoint checkpoint) => Prefixes.Count == 0 ? "" : ((string[])["", .. Prefixes]).MaxBy(prefix => CountKnown(checkpoint, prefix))!;

    /// <summary>The prefix with which the publisher would publish a network.</summary>
    internal string OfficialPrefix(IEnumerable<string> network) =>
        Prefixes.Count > 0 && network.Any(tensor => Heads.Any(rule => rule.Canonical.IsMatch(tensor))) ? Prefixes[0] : "";

    private int CountKnown(Checkpoint checkpoint) => CountKnown(checkpoint, PrefixIn(checkpoint));

    private int CountKnown(Checkpoint checkpoint, string prefix) =>
        checkpoint.Tensors.Keys.Count(tensor => Canonical(tensor, prefix) is not null || Ignores(tensor, prefix));

    private IEnumerable<(DialectRule Rule, string Prefix)> RulesWith(string prefix) =>
        Heads.Select(rule => (rule, "")).Concat(Rules.Select(rule => (rule, prefix)));
}

/// <summary>A tensor of the network, and the foreign tensors that it consists of: one, or equal parts along the first dimension.</summary>
/// <param name="Canonical">The network's name.</param>
/// <param name="Rule">How the foreign tensors differ from ours.</param>
/// <param name="Names">The foreign names of the parts; several times where the publisher's network has the tensor in several places.</param>
/// <param name="PartShape">The foreign shape of a part.</param>
internal sealed record TensorMap(string Canonical, DialectRule Rule, string[][] Names, long[] PartShape)
{
    /// <summary>The names that are written.</summary>
    public string[] Parts => Names[0];

    /// <summary>The names by which a file has the tensor: those that are written where it has none of them.</summary>
    public string[] PartsIn(Checkpoint checkpoint) => Names.FirstOrDefault(parts => parts.All(checkpoint.Tensors.ContainsKey)) ?? Parts;
}

/// <summary>How a publisher names some of a network's tensors: a pattern of canonical names, and a pattern of foreign names with the same wildcards.</summary>
/// <example><c>("blocks.*.attn.qkv.*", "encoder.layer.*.attention.attention.{query,key,value}.*")</c></example>
internal sealed class DialectRule
{
    /// <param name="canonical">Canonical names; <c>*</c> stands for one segment, <c>**</c> for one or more.</param>
    /// <param name="foreign">
    /// Foreign names; <c>{a,b,c}</c> means that our tensor consists of these tensors, concatenated along the first dimension. With several
    /// names, divided by <c> | </c>, the publisher's network has one tensor in several places: a file may have it under any of them, or
    /// under several if they are equal. The first is written.
    /// </param>
    public DialectRule(string canonical, string foreign)
    {
        Canonical = new NamePattern(canonical);
        Names = [.. foreign.Split(" | ").Select(name => Parts(name).Select(part => new NamePattern(part)).ToArray())];
        if (Names.Any(name => name.Length != Foreign.Count || name.Any(part => part.WildcardCount != Canonical.WildcardCount)))
            throw new ArgumentException($"'{canonical}' and '{foreign}' differ in their number of wildcards or parts.", nameof(foreign));
    }

    public static implicit operator DialectRule((string Canonical, string Foreign) names) => new(names.Canonical, names.Foreign);

    public NamePattern Canonical { get; }

    /// <summary>One pattern, or one for each part of the tensor, for each name that it may have.</summary>
    public IReadOnlyList<NamePattern[]> Names { get; }

    /// <summary>One pattern, or one for each part of the tensor: the name that is written.</summary>
    public IReadOnlyList<NamePattern> Foreign => Names[0];

    /// <summary>Whether the foreign matrix is ours transposed.</summary>
    public bool Transpose { get; init; }

    /// <summary>Gives the foreign shape for ours, where only the shape differs. For a linear layer stored as a 1x1 convolution it is <c>shape => [.. shape, 1, 1]</c>.</summary>
    public Func<long[], long[]>? Reshape { get; init; }

    /// <summary>Gives a view of our tensor, or of a part of it, whose elements are in the foreign tensor's order, where that differs.</summary>
    public Func<Tensor, Tensor>? View { get; init; }

    /// <summary>The shape of one foreign part, given the shape of our whole tensor.</summary>
    public long[] ForeignShape(long[] shape)
    {
        if (Foreign.Count > 1 && (shape.Length == 0 || shape[0] % Foreign.Count != 0))
            throw new InvalidOperationException($"'{Canonical.Text}' of shape {shape.Text()} does not fall into {Foreign.Count} equal parts.");
        long[] part = Foreign.Count == 1 ? shape : [shape[0] / Foreign.Count, .. shape[1..]];
        if (Transpose)
            part = [part[1], part[0]];
        return Reshape?.Invoke(part) ?? part;
    }

    private static string[] Parts(string pattern)
    {
        var open = pattern.IndexOf('{', StringComparison.Ordinal);
        var close = pattern.IndexOf('}', StringComparison.Ordinal);
        return open < 0
            ? [pattern]
            : [.. pattern[(open + 1)..close].Split(',').Select(word => pattern[..open] + word + pattern[(close + 1)..])];
    }
}

/// <summary>A pattern of tensor names: <c>*</c> stands for one segment between dots, <c>**</c> for one or more.</summary>
internal sealed class NamePattern
{
    private readonly string[] _literals;
    private readonly Regex _regex;

    public NamePattern(string pattern)
    {
        Text = pattern;
        _literals = Regex.Split(pattern, @"\*{1,2}");
        var regex = Regex.Escape(pattern).Replace(@"\*\*", "(.+)", StringComparison.Ordinal).Replace(@"\*", "([^.]+)", StringComparison.Ordinal);
        _regex = new Regex($@"\A{regex}\z", RegexOptions.CultureInvariant);
    }

    public string Text { get; }

    public int WildcardCount => _literals.Length - 1;

    public bool IsMatch(string name) => MayMatch(name) && _regex.IsMatch(name);

    /// <summary>The words that the wildcards stand for in a name; null where the name does not match.</summary>
    public string[]? Match(string name)
    {
        if (!MayMatch(name))
            return null;
        var match = _regex.Match(name);
        return match.Success ? [.. match.Groups.Values.Skip(1).Select(group => group.Value)] : null;
    }

    // Most rules fail here: some dialects have hundreds, which are asked for thousands of names.
    private bool MayMatch(string name) => name.StartsWith(_literals[0], StringComparison.Ordinal);

    /// <summary>The name with these words in the wildcards' places.</summary>
    public string Fill(string[] wildcards)
    {
        var name = new StringBuilder(_literals[0]);
        for (var i = 0; i < wildcards.Length; i++)
            name.Append(wildcards[i]).Append(_literals[i + 1]);
        return name.ToString();
    }
}
