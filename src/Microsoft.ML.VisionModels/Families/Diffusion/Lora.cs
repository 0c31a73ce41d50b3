using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>A network that LoRAs are merged into, and how their files call it.</summary>
/// <param name="Network">The network.</param>
/// <param name="Dialects">The publishers' names of its layers.</param>
/// <param name="Component">What stands before these where a file has names with dots.</param>
/// <param name="Prefixes">What stands before them where it has names with underscores.</param>
internal sealed record LoraTarget(nn.Module Network, IReadOnlyList<Dialect> Dialects, string Component, params string[] Prefixes)
{
    public static LoraTarget Of(UNet network) => new(network, new UNetModel().Dialects(network.Config), "unet", "lora_unet");

    /// <param name="network">The text tower.</param>
    /// <param name="index">Its place among the model's.</param>
    public static LoraTarget Of(ClipTextNetwork network, int index = 0) => index == 0
        ? new(network, [ClipDialect.TextTower[0]], "text_encoder", "lora_te", "lora_te1")
        : new(network, [ClipDialect.TextTower[0]], $"text_encoder_{index + 1}", $"lora_te{index + 1}");

    /// <summary>All names by which a file may call a layer, with the layer's weight, or the part of a weight that is the layer's.</summary>
    public IEnumerable<(string Name, string Tensor, Tensor Weight)> Layers()
    {
        const string Weight = ".weight";
        foreach (var (canonical, tensor) in Network.state_dict().Where(entry => entry.Key.EndsWith(Weight, StringComparison.Ordinal) && entry.Value.dim() > 1))
        {
            foreach (var dialect in Dialects)
            {
                var map = dialect.Map(canonical, tensor.shape, "");
                for (var part = 0; part < map.Parts.Length; part++)
                {
                    var (layer, weight) = (map.Parts[part][..^Weight.Length], CheckpointLoader.PartOf(tensor, map, part));
                    // A name with underscores does not tell where dots were: so no name is read, but all are written.
                    foreach (var name in Prefixes.Select(prefix => $"{prefix}_{layer.Replace('.', '_')}").Append($"{Component}.{layer}").Append(layer))
                        yield return (name, $"{canonical}:{part}", weight);
                }
            }
        }
    }
}

/// <summary>LoRAs that are merged into networks. Disposing of it unmerges them exactly: the weights that they changed were kept.</summary>
internal sealed class Lora : IDisposable
{
    private readonly List<(Tensor Weight, Tensor Original)> _changed = [];

    private Lora()
    {
    }

    /// <summary>Merges LoRAs: each weight W becomes W + the sum of weight * alpha / rank * up * down. All is checked before anything changes.</summary>
    /// <param name="targets">The networks, whose weights nobody else reads meanwhile.</param>
    /// <param name="loras">The files, and how much of each: 1 is as it was trained.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or for another model; the message names what does not fit.</exception>
    public static Lora Merge(IReadOnlyList<LoraTarget> targets, params IReadOnlyList<(string Path, double Weight)> loras)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var layers = new Dictionary<string, (string Tensor, Tensor Weight)>();
        foreach (var target in targets)
        {
            foreach (var (name, tensor, weight) in target.Layers())
                layers.TryAdd(name, ($"{target.Component}.{tensor}", weight));
        }
        var files = new List<LoraFile>();
        try
        {
            var changes = new OrderedDictionary<string, (Tensor Weight, List<(LoraFile File, LoraLayer Layer, double Factor)> By)>();
            foreach (var (path, factor) in loras)
            {
                var file = new LoraFile(path);
                files.Add(file);
                RequireFit(file, layers);
                foreach (var (name, layer) in file.Layers)
                {
                    var (tensor, weight) = layers[name];
                    changes.TryAdd(tensor, (weight, []));
                    changes[tensor].By.Add((file, layer, factor));
                }
            }
            var merged = new Lora();
            foreach (var (weight, by) in changes.Values)
            {
                using var inner = NewDisposeScope();
                merged._changed.Add((weight.DetachFromDisposeScope(), weight.clone().DetachFromDisposeScope()));
                var sum = weight.to(ScalarType.Float32);
                foreach (var (file, layer, factor) in by)
                    sum = sum.Add(file.Difference(layer).to(weight.device).Mul(factor).view(weight.shape));
                weight.copy_(sum);
            }
            return merged;
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    /// <summary>Leaves the weights as they are, for good: what they were before is forgotten.</summary>
    public void Keep()
    {
        foreach (var (_, original) in _changed)
            original.Dispose();
        _changed.Clear();
    }

    /// <summary>Puts the weights back that were there before.</summary>
    public void Dispose()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (weight, original) in _changed)
        {
            weight.copy_(original);
            original.Dispose();
        }
        _changed.Clear();
    }

    private static void RequireFit(LoraFile file, Dictionary<string, (string Tensor, Tensor Weight)> layers)
    {
        var problems = new List<string>();
        foreach (var (name, layer) in file.Layers)
        {
            var (down, up) = file.ShapesOf(layer);
            if (!layers.TryGetValue(name, out var found))
                problems.Add($"the networks have no layer '{name}'");
            else if (down.Count < 2 || up.Count < 2 || down[0] != up.Skip(1).Product() || up[0] * down.Skip(1).Product() != found.Weight.numel() || up[0] != found.Weight.shape[0])
                problems.Add($"'{name}' makes a weight of {up.Text()} times {down.Text()}, but the network's is {found.Weight.shape.Text()}");
        }
        if (problems.Count == 0)
            return;
        var some = string.Join("; ", problems.Take(3)) + (problems.Count > 3 ? "; ..." : "");
        throw new CheckpointException($"{file.FilePath} is a LoRA for another model: {problems.Count} of its {file.Layers.Count} layers do not fit. {some}.");
    }
}
