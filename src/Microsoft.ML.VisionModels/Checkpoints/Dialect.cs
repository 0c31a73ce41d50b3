namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// How one publisher names a network's tensors, as data that is read in both directions: their files load into our network, and our network is saved in their names.
/// </summary>
/// <param name="name">Whose names these are, for messages.</param>
internal sealed class Dialect(string name)
{
    private readonly NamePattern[] _ignored = [];

    /// <summary>Our own names.</summary>
    public static Dialect Identity { get; } = new("canonical") { Rules = [("**", "**")] };

    public string Name { get; } = name;

    /// <summary>The network's tensors; the first rule that matches a name counts.</summary>
    public required IReadOnlyList<DialectRule> Rules { get; init; }

    /// <summary>The tensors of heads, which never carry a prefix. They are looked up before <see cref="Rules"/>.</summary>
    public IReadOnlyList<DialectRule> Heads { get; init; } = [];

    /// <summary>Prefixes of which a file has one on all its tensors but the heads', or none. A network with a head is saved with the first.</summary>
    public IReadOnlyList<string> Prefixes { get; init; } = [];

    /// <summary>Patterns of their tensors that our network does not need: buffers, an unused pooler.</summary>
    public IReadOnlyList<string> Ignored
    {
        get => [.. _ignored.Select(pattern => pattern.Text)];
        init => _ignored = [.. value.Select(text => new NamePattern(text))];
    }

    /// <summary>The dialect that explains most of the checkpoint's names, the first of equals.</summary>
    /// <exception cref="CheckpointException">None explains more than half of them.</exception>
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

    /// <summary>Whether most of the checkpoint's tensors bear names of this dialect. What else is wrong with them, strict loading tells.</summary>
    public bool Recognizes(Checkpoint checkpoint) => 2 * CountKnown(checkpoint) > checkpoint.Tensors.Count;

    /// <summary>Their tensors for a network's, as they are published: the whole of a manifest, but for what is ignored.</summary>
    public IEnumerable<(string Name, long[] Shape)> ForeignTensors(IEnumerable<(string Name, long[] Shape)> network)
    {
        var tensors = network.ToArray();
        var prefix = OfficialPrefix(tensors.Select(tensor => tensor.Name));
        return tensors.Select(tensor => Map(tensor.Name, tensor.Shape, prefix)).SelectMany(map => map.Parts.Select(part => (part, map.PartShape)));
    }

    /// <summary>Their names and shapes for one of our tensors.</summary>
    /// <exception cref="InvalidOperationException">No rule speaks of it.</exception>
    internal TensorMap Map(string canonical, long[] shape, string prefix)
    {
        foreach (var (rule, rulePrefix) in RulesWith(prefix))
        {
            if (rule.Canonical.Match(canonical) is { } wildcards)
                return new TensorMap(canonical, rule, [.. rule.Foreign.Select(part => rulePrefix + part.Fill(wildcards))], rule.ForeignShape(shape));
        }
        throw new InvalidOperationException($"The names of {Name} have none for the network's tensor '{canonical}'.");
    }

    /// <summary>Our name for one of theirs; null where there is none.</summary>
    internal string? Canonical(string foreign, string prefix)
    {
        foreach (var (rule, rulePrefix) in RulesWith(prefix))
        {
            if (!foreign.StartsWith(rulePrefix, StringComparison.Ordinal))
                continue;
            foreach (var part in rule.Foreign)
            {
                if (part.Match(foreign[rulePrefix.Length..]) is { } wildcards)
                    return rule.Canonical.Fill(wildcards);
            }
        }
        return null;
    }

    internal bool Ignores(string foreign, string prefix) =>
        _ignored.Any(pattern => pattern.IsMatch(foreign) || (foreign.StartsWith(prefix, StringComparison.Ordinal) && pattern.IsMatch(foreign[prefix.Length..])));

    /// <summary>The prefix, or none, under which most of the checkpoint's names make sense.</summary>
    internal string PrefixIn(Checkpoint checkpoint) => ((string[])["", .. Prefixes]).MaxBy(prefix => CountKnown(checkpoint, prefix))!;

    /// <summary>The prefix with which a network is published.</summary>
    internal string OfficialPrefix(IEnumerable<string> network) =>
        Prefixes.Count > 0 && network.Any(tensor => Heads.Any(rule => rule.Canonical.IsMatch(tensor))) ? Prefixes[0] : "";

    private int CountKnown(Checkpoint checkpoint) => CountKnown(checkpoint, PrefixIn(checkpoint));

    private int CountKnown(Checkpoint checkpoint, string prefix) =>
        checkpoint.Tensors.Keys.Count(tensor => Canonical(tensor, prefix) is not null || Ignores(tensor, prefix));

    private IEnumerable<(DialectRule Rule, string Prefix)> RulesWith(string prefix) =>
        Heads.Select(rule => (rule, "")).Concat(Rules.Select(rule => (rule, prefix)));
}

/// <summary>One of our tensors, and theirs that it is made of: one, or equal parts along the first dimension.</summary>
internal sealed record TensorMap(string Canonical, DialectRule Rule, string[] Parts, long[] PartShape);
