using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>
/// A file of LoRA, "Low-Rank Adaptation of Large Language Models" (arXiv 2106.09685): for some layers of a network two thin matrices, down and
/// up, whose product is added to the layer's weight. Names are kohya's (<c>lora_unet_down_blocks_0_….lora_down.weight</c>), PEFT's
/// (<c>unet.down_blocks.0.….lora_A.weight</c>), or diffusers' old ones (<c>….attn1.processor.to_q_lora.down.weight</c>).
/// </summary>
internal sealed partial class LoraFile : IDisposable
{
    private static readonly string[] s_folderFiles = ["pytorch_lora_weights.safetensors", "adapter_model.safetensors", "pytorch_lora_weights.bin", "adapter_model.bin"];

    private readonly Checkpoint _file;
    private readonly double? _alpha;
    private readonly OrderedDictionary<string, LoraLayer> _layers = [];

    /// <param name="path">A file, or the folder of one as diffusers or PEFT write it.</param>
    /// <exception cref="FileNotFoundException">There is no such file, or the folder holds none.</exception>
    /// <exception cref="CheckpointException">The file is damaged, or holds something else than pairs of matrices.</exception>
    public LoraFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            path = s_folderFiles.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists)
                ?? throw new FileNotFoundException($"The folder {path} holds no LoRA: none of {string.Join(", ", s_folderFiles)} is there.", path);
        }
        _alpha = AdapterAlpha(path);
        _file = Checkpoint.Open(path);
        try
        {
            foreach (var name in _file.Tensors.Keys)
                Add(name);
            if (_layers.FirstOrDefault(layer => layer.Value is { Down: "" } or { Up: "" }) is { Key: { } half })
                throw new CheckpointException($"{path}: the LoRA's layer '{half}' has one matrix, not two.");
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public string FilePath => _file.Path;

    /// <summary>The layers by what the file calls them: with dots, and where it has none with underscores.</summary>
    public IReadOnlyDictionary<string, LoraLayer> Layers => _layers;

    /// <summary>The shapes of a layer's matrices, down and up.</summary>
    public (IReadOnlyList<long> Down, IReadOnlyList<long> Up) ShapesOf(LoraLayer layer) => (_file.Tensors[layer.Down].Shape, _file.Tensors[layer.Up].Shape);

    /// <summary>What the layer adds to a weight at a weight of 1, [outputs, inputs * kernel], in 32 bits.</summary>
    public Tensor Difference(LoraLayer layer)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (down, up) = (_file.Read(layer.Down).to(ScalarType.Float32).flatten(1), _file.Read(layer.Up).to(ScalarType.Float32).flatten(1));    // [rank, inputs * kernel], [outputs, rank]
        var rank = down.shape[0];
        var alpha = layer.Alpha.Length > 0 ? _file.Read(layer.Alpha).Item() : _alpha ?? rank;
        return up.matmul(down).Mul(alpha / rank).MoveToOuterDisposeScope();
    }

    public void Dispose() => _file.Dispose();

    private void Add(string name)
    {
        var match = TensorName().Match(name);
        if (!match.Success)
            throw new CheckpointException($"{FilePath}: the tensor '{name}' is none of a LoRA that is read, of which each layer has the matrices down and up, and perhaps an alpha.");
        var layer = LayerOf(match.Groups["layer"].Value);
        var known = _layers.GetValueOrDefault(layer, new("", "", ""));
        _layers[layer] = match.Groups["part"].Value switch
        {
            "down" or "A" => known with { Down = name },
            "up" or "B" => known with { Up = name },
            _ => known with { Alpha = name },
        };
    }

    private static string LayerOf(string name)
    {
        const string Peft = "base_model.model.", Processor = ".processor.", OldOutput = ".to_out";
        if (name.StartsWith(Peft, StringComparison.Ordinal))
            name = name[Peft.Length..];
        if (!name.Contains(Processor, StringComparison.Ordinal))
            return name;
        name = name.Replace(Processor, ".", StringComparison.Ordinal);
        return name.EndsWith(OldOutput, StringComparison.Ordinal) ? $"{name}.0" : name;
    }

    /// <summary>What PEFT notes beside its file instead of in it.</summary>
    private static double? AdapterAlpha(string path)
    {
        const string ConfigFile = "adapter_config.json";
        var beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, ConfigFile);
        if (!Path.GetFileName(path).StartsWith("adapter_model", StringComparison.Ordinal) || ModelFolder.ReadFile(beside) is not { } config)
            return null;
        foreach (var key in (string[])["use_rslora", "use_dora", "rank_pattern", "alpha_pattern", "fan_in_fan_out"])
        {
            if (config.Optional(key) is { } value && value.ValueKind != JsonValueKind.False && !(value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().Any()))
                throw new CheckpointException($"{ConfigFile} beside {path} has '{key}' = {value.GetRawText()}; such LoRAs are not read.");
        }
        return config.Optional("lora_alpha")?.Number("lora_alpha");
    }

    [GeneratedRegex(
        @"\A(?<layer>.+?)(\.lora_(?<part>down|up|A|B)(\.default)?\.weight|(\.lora|\.lora_linear_layer|_lora)\.(?<part>down|up)\.weight|\.(?<part>alpha))\z",
        RegexOptions.ExplicitCapture)]
    private static partial Regex TensorName();
}

/// <summary>The tensors of a LoRA's layer, by their names in the file; empty where one is not there.</summary>
internal sealed record LoraLayer(string Down, string Up, string Alpha);
