using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>The hyper-parameters of a LoRA (arXiv 2106.09685).</summary>
internal sealed record LoraConfig
{
    /// <summary>The rows of the thin matrices.</summary>
    public int Rank { get; init; } = 4;

    /// <summary>What is learned counts alpha / rank times.</summary>
    public double Alpha { get; init; } = 4;
}

/// <summary>A LoRA that a U-Net learns, on the projections of its attention: queries, keys, values and outputs.</summary>
internal static class TrainedLora
{
    private const string Weight = ".weight";

    /// <summary>Adds the matrices, without values.</summary>
    public static void Add(UNet network, LoraConfig config)
    {
        foreach (var (names, layer) in Layers(network))
            layer.Add(new LowRank((int)layer.weight.shape[1], (int)layer.weight.shape[0], names.Length, config.Rank, config.Alpha / config.Rank));
    }

    /// <summary>Draws the matrices so that they change nothing yet.</summary>
    public static void Draw(UNet network, Generator generator)
    {
        foreach (var (_, layer) in Layers(network))
            layer.LowRank!.Draw(generator);
    }

    /// <summary>Whether a parameter is one of a LoRA's, by its name.</summary>
    public static bool Has(string parameter) => parameter.Contains(".low_rank.", StringComparison.Ordinal);

    /// <summary>Writes the LoRA alone, in PEFT's names as diffusers reads them; alpha is in the second matrices.</summary>
    public static void Save(UNet network, string path)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        SafetensorsWriter.Write(path, Layers(network).SelectMany(layer => layer.Names.Zip(layer.Layer.LowRank!.Factors, (name, factors) =>
            new[] { ($"unet.{name}.lora_A.weight", factors.Down.contiguous()), ($"unet.{name}.lora_B.weight", factors.Up) }).SelectMany(pair => pair)));
    }

    /// <summary>The layers, each with diffusers' names of those that lie in it.</summary>
    private static IEnumerable<(string[] Names, Linear Layer)> Layers(UNet network)
    {
        var dialect = DiffusersDialect.UNet(network.Config);
        foreach (var (attention, module) in network.named_modules().Where(entry => entry.module is Attention or CrossAttention).ToArray())
        {
            foreach (var (name, child) in module.named_children())
            {
                if (child is Linear layer)
                    yield return ([.. dialect.Map($"{attention}.{name}{Weight}", layer.weight.shape, "").Parts.Select(part => part[..^Weight.Length])], layer);
            }
        }
    }
}
