using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>Loads and saves the weights of networks. Loading is strict: the network and the file must have the same tensors.</summary>
internal static class CheckpointLoader
{
    private const int ProblemsShown = 10;

    /// <summary>Loads a network's parameters and buffers. Everything is checked before anything is copied.</summary>
    /// <param name="network">The network, whose element types and device stay.</param>
    /// <param name="checkpoint">The file.</param>
    /// <param name="dialect">How the file names the tensors.</param>
    /// <param name="optional">
    /// Patterns of the network's tensors that may be missing in the file or have another shape there, such as a head for other labels. The
    /// network then keeps its own values.
    /// </param>
    /// <returns>The names of the network's tensors that kept their values.</returns>
    /// <exception cref="CheckpointException">A tensor is missing, unknown or has the wrong shape; the message lists them, up to a limit.</exception>
    public static IReadOnlyList<string> Load(nn.Module network, Checkpoint checkpoint, Dialect dialect, params IReadOnlyList<string> optional)
    {
        var mayBeMissing = optional.Select(pattern => new NamePattern(pattern)).ToArray();
        var prefix = dialect.PrefixIn(checkpoint);
        var problems = new List<string>();
        var skipped = new List<string>();
        var used = new HashSet<string>();
        var sources = new Dictionary<string, (Tensor Target, TensorMap Map, int Part)>();

        foreach (var (name, target) in network.state_dict())
        {
            var map = dialect.Map(name, target.shape, prefix);
            var parts = map.PartsIn(checkpoint);
            var found = parts.Select(part => Compare(checkpoint, part, map, target.shape)).Concat(Differences(checkpoint, map, parts)).OfType<string>().ToArray();
            used.UnionWith(map.Names.SelectMany(names => names));

            if (found.Length == 0)
            {
                for (var i = 0; i < parts.Length; i++)
                    sources.Add(parts[i], (target, map, i));
            }
            else if (Array.Exists(mayBeMissing, pattern => pattern.IsMatch(name)))
            {
                skipped.Add(name);
            }
            else
            {
                problems.AddRange(found);
            }
        }

        problems.AddRange(checkpoint.Tensors.Values
            .Where(info => !used.Contains(info.Name) && !dialect.Ignores(info.Name, prefix))
            .Where(info => dialect.Canonical(info.Name, prefix) is not { } name || !Array.Exists(mayBeMissing, pattern => pattern.IsMatch(name)))
            .Select(info => $"unknown: '{info.Name}' {info.Shape.Text()} of the file has no place in the network"));
        if (problems.Count > 0)
            throw Mismatch(checkpoint, dialect, problems);

        // In the order of the file, which is the fastest order, and the only possible one for a stream.
        foreach (var file in checkpoint.Tensors.Keys.Where(sources.ContainsKey))
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var (target, map, part) = sources[file];
            checkpoint.CopyTo(file, PartOf(target, map, part));
        }
        return skipped;
    }

    /// <summary>Saves a network's parameters and buffers as safetensors in a publisher's names.</summary>
    /// <param name="network">The network.</param>
    /// <param name="dialect">The publisher's names.</param>
    /// <param name="path">The file.</param>
    /// <param name="more">Tensors that the publisher's files have and the network does not.</param>
    public static void Save(nn.Module network, Dialect dialect, string path, params IEnumerable<(string Name, Tensor Value)> more)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        SafetensorsWriter.Write(path, [.. ForeignTensors(network, dialect), .. more]);
    }

    /// <summary>Saves a network's parameters and buffers as safetensors in a publisher's names, to a stream, which need not be able to seek.</summary>
    public static void Save(nn.Module network, Dialect dialect, Stream stream)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        SafetensorsWriter.Write(stream, ForeignTensors(network, dialect));
    }

    private static List<(string Name, Tensor Value)> ForeignTensors(nn.Module network, Dialect dialect)
    {
        var state = network.state_dict();
        var prefix = dialect.OfficialPrefix(state.Keys);
        var tensors = new List<(string Name, Tensor Value)>();
        foreach (var (name, value) in state)
        {
            var map = dialect.Map(name, value.shape, prefix);
            for (var i = 0; i < map.Parts.Length; i++)
                tensors.Add((map.Parts[i], PartOf(value, map, i).reshape(map.PartShape)));
        }
        return tensors;
    }

    /// <summary>The view of the network's tensor with the elements of one of the file's tensors, in its order; the shape may differ.</summary>
    internal static Tensor PartOf(Tensor tensor, TensorMap map, int index)
    {
        if (map.Parts.Length > 1)
        {
            var rows = tensor.shape[0] / map.Parts.Length;
            tensor = tensor.narrow(0, index * rows, rows); // [rows, ...]
        }
        if (map.Rule.Transpose)
            tensor = tensor.t();
        return map.Rule.View?.Invoke(tensor) ?? tensor;
    }

    private static string? Compare(Checkpoint checkpoint, string part, TensorMap map, long[] shape)
    {
        var ours = part == map.Canonical ? "" : $" (the network's '{map.Canonical}' {shape.Text()})";
        if (!checkpoint.Tensors.TryGetValue(part, out var info))
            return $"missing: '{part}' {map.PartShape.Text()}{ours}";
        return info.Shape.SequenceEqual(map.PartShape) ? null : $"mis-shaped: '{part}' is {info.Shape.Text()}, expected {map.PartShape.Text()}{ours}";
    }

    /// <summary>The places of a tied tensor in which the file has something else than in the one that is read.</summary>
    private static IEnumerable<string> Differences(Checkpoint checkpoint, TensorMap map, string[] read)
    {
        foreach (var (part, other) in map.Names.Where(names => names != read).SelectMany(read.Zip))
        {
            if (!checkpoint.Tensors.ContainsKey(part) || !checkpoint.Tensors.ContainsKey(other))
                continue;
            using var scope = NewDisposeScope();
            var (first, second) = (checkpoint.Read(part), checkpoint.Read(other));
            if (!first.shape.SequenceEqual(second.shape) || !first.equal(second).all().item<bool>())
                yield return $"different: '{part}' and '{other}' are one tensor of the network, but not the same in the file";
        }
    }

    private static CheckpointException Mismatch(Checkpoint checkpoint, Dialect dialect, List<string> problems)
    {
        var more = problems.Count > ProblemsShown ? $"\n  and {problems.Count - ProblemsShown} more" : "";
        return new CheckpointException(
            $"{checkpoint.Path} does not fit the network, read with the names of {dialect.Name}; {problems.Count} problem{(problems.Count == 1 ? "" : "s")}:" +
            $"{string.Concat(problems.Take(ProblemsShown).Select(problem => $"\n  {problem}"))}{more}");
    }
}
