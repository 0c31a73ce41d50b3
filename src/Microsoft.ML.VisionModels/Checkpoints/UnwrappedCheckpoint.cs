using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// A file without what frameworks put before, or into, the names of a network's tensors: <c>module.</c> of a parallel training,
/// <c>_orig_mod.</c> of a compiled network, the name of a member of the class around it. Of several networks in one file, such as a
/// student and its teacher, it is the one that was asked for.
/// </summary>
internal sealed class UnwrappedCheckpoint : Checkpoint
{
    // What PyTorch puts into names, at any place; nobody else's names begin with an underscore.
    private static readonly HashSet<string> s_wrappers = ["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"];

    // Words of which a member's name consists whose weights follow those of another.
    private static readonly HashSet<string> s_averages = ["ema", "swa", "average", "averaged", "teacher", "momentum", "target", "k"];

    private readonly Checkpoint _file;
    private readonly OrderedDictionary<string, TensorInfo> _tensors = [];
    private readonly Dictionary<string, string> _names = [];

    private UnwrappedCheckpoint(Checkpoint file, IEnumerable<(string Name, string InFile)> names) : base(file.Path)
    {
        _file = file;
        foreach (var (name, inFile) in names)
        {
            if (!_names.TryAdd(name, inFile))
                throw new CheckpointException($"{Path} has the tensor '{name}' twice, as '{_names[name]}' and '{inFile}'.");
            _tensors.Add(name, file.Tensors[inFile] with { Name = name });
        }
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    /// <summary>The network in a file, which becomes the result's, or is it where nothing is to be taken off.</summary>
    /// <param name="file">The file.</param>
    /// <param name="landmarks">Names of a tensor that every network of the family has: what stands before it is a wrapper's.</param>
    /// <param name="choice">Which network, where there is one beside another that is its average.</param>
    /// <exception cref="CheckpointException">There are several, and none is the other's average.</exception>
    public static Checkpoint Of(Checkpoint file, IReadOnlyList<string> landmarks, CheckpointWeights choice)
    {
        var names = file.Tensors.Keys.Select(name => (Name: WithoutWrappers(name), InFile: name)).ToArray();
        var prefixes = names.Select(name => Prefix(name.Name, landmarks)).OfType<string>().Distinct().ToArray();
        var prefix = prefixes.Length > 1 ? Choose(file, prefixes, choice) : prefixes.FirstOrDefault("");

        // Of a network that has no prefix, those that have one are not a part.
        var others = prefixes.Where(other => other.Length > prefix.Length && other.StartsWith(prefix, StringComparison.Ordinal)).ToArray();
        var inside = names.Where(name => name.Name.StartsWith(prefix, StringComparison.Ordinal) && !Array.Exists(others, other => name.Name.StartsWith(other, StringComparison.Ordinal))).ToArray();
        if (prefixes.Length < 2 && inside.Length < names.Length)
        {
            var outside = names.Except(inside).Select(name => $"'{name.InFile}'").ToArray();
            Notices.Say($"{file.Path}: the network is what begins with '{prefix}'; passed over are {outside.Length} other tensors: {string.Join(", ", outside.Take(3))}{(outside.Length > 3 ? ", ..." : "")}.");
        }
        return inside.Length == names.Length && names.All(name => prefix == "" && name.Name == name.InFile) ? file : new UnwrappedCheckpoint(file, inside.Select(name => (name.Name[prefix.Length..], name.InFile)));
    }

    /// <summary>One of several networks in a file, which becomes the result's.</summary>
    /// <param name="file">The file.</param>
    /// <param name="prefix">What its tensors' names begin with, and are read without.</param>
    /// <param name="wanted">Which of its tensors are wanted; null for all.</param>
    public static Checkpoint Under(Checkpoint file, string prefix, Predicate<string>? wanted = null) =>
        new UnwrappedCheckpoint(file, file.Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => (Name: name[prefix.Length..], InFile: name)).Where(name => wanted?.Invoke(name.Name) != false));

    private static string Choose(Checkpoint file, string[] prefixes, CheckpointWeights choice)
    {
        var (trained, averaged) = (prefixes.Where(prefix => !IsAverage(prefix)).ToArray(), prefixes.Where(IsAverage).ToArray());
        var candidates = averaged.Length == 0 || (trained.Length > 0 && choice == CheckpointWeights.Trained) ? trained : averaged;
        var all = string.Join(", ", prefixes.Select(prefix => $"'{prefix}'"));
        if (candidates.Length > 1)
            throw new CheckpointException($"{file.Path} holds several networks, whose tensors' names begin with {all}. Save the one that is meant alone.");
        Notices.Say($"{file.Path} holds several networks, whose tensors' names begin with {all}; '{candidates[0]}' is read. {nameof(CheckpointWeights)} says whether it is the trained one or its average.");
        return candidates[0];
    }

    private static bool IsAverage(string prefix) => prefix.Split('.', '_').Any(s_averages.Contains);

    private static string WithoutWrappers(string name) =>
        name.Contains('_', StringComparison.Ordinal) && name.Split('.') is var parts && Array.Exists(parts, s_wrappers.Contains) ? string.Join('.', parts.Where(part => !s_wrappers.Contains(part))) : name;

    /// <summary>What stands before the longest landmark that a name ends with; null where it ends with none.</summary>
    private static string? Prefix(string name, IReadOnlyList<string> landmarks) => landmarks
        .Where(landmark => name.EndsWith(landmark, StringComparison.Ordinal) && (name.Length == landmark.Length || name[^(landmark.Length + 1)] == '.'))
        .MaxBy(landmark => landmark.Length) is { } longest ? name[..^longest.Length] : null;

    private protected override void Fill(Tensor target, TensorInfo info) => _file.CopyTo(_names[info.Name], target);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
    }
}
