using Microsoft.ML.VisionModels.Checkpoints;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>Where a network comes from: a preset with random weights, a Hugging Face folder, or a weights file of a preset.</summary>
/// <param name="Path">The checkpoint; null for random weights.</param>
/// <param name="Config">Its hyper-parameters.</param>
/// <param name="Preprocessing">What the folder says, if it does.</param>
/// <param name="Labels">The names of the classes of the folder's head, if it has one.</param>
internal sealed record SwinSource(string? Path, SwinConfig Config, ImagePreprocessing? Preprocessing, IReadOnlyList<string>? Labels)
{
    // A head of another size is left out where a new one, or none, is wanted.
    private static readonly string[] s_head = ["head.*"];

    public static SwinSource Open(SwinPreset preset, string? path)
    {
        if (path is null)
            return new(null, SwinPresets.Of(preset), null, null);
        using var checkpoint = Checkpoint.Open(path);
        if (!Directory.Exists(path))
            return new(path, OfFile(preset, checkpoint), null, null);

        var folder = HuggingFaceFolder.Open(path);
        var config = folder.Read(json => SwinConfig.FromHuggingFace(json, checkpoint.Tensors.Keys));
        return new(path, config, folder.Preprocessing, config.Classes is null ? null : folder.Read(JsonConfig.Labels));
    }

    /// <summary>The network with the checkpoint's weights, or random ones where there is none.</summary>
    /// <param name="config"><see cref="Config"/>, but for the head and what concerns training.</param>
    /// <param name="ownHead">Whether the head is the checkpoint's own; otherwise it is drawn.</param>
    /// <param name="generator">The source of random weights now and of dropout later.</param>
    public SwinNetwork Build(SwinConfig config, bool ownHead, torch.Generator generator)
    {
        var network = new SwinNetwork(config, generator);
        try
        {
            if (Path is null)
                return network.Initialize(generator);

            using var checkpoint = Checkpoint.Open(Path);
            CheckpointLoader.Load(network, checkpoint, Dialect.For(checkpoint, SwinDialect.All(config)), ownHead ? [] : s_head);
            return ownHead ? network : network.InitializeHead(generator);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>A bare weights file tells the size of its patches and, in V1, of its windows.</summary>
    /// <exception cref="CheckpointException">The file's network has another width than the preset.</exception>
    private static SwinConfig OfFile(SwinPreset name, Checkpoint checkpoint)
    {
        var preset = SwinPresets.Of(name);
        if (checkpoint.Tensors.Values.FirstOrDefault(tensor => tensor.Shape.Count == 4) is { } patch)    // no other tensor has four dimensions
        {
            if (patch.Shape[0] != preset.Width)
            {
                var fitting = Enum.GetValues<SwinPreset>().Where(other => SwinPresets.Of(other).Width == patch.Shape[0]).ToArray();
                throw new CheckpointException(
                    $"{checkpoint.Path} does not fit the preset {name}: its width is {patch.Shape[0]}, the preset's {preset.Width}. " +
                    (fitting.Length == 0 ? "No preset has that width." : $"Set Preset to what it was trained as; that width have {string.Join(", ", fitting)}."));
            }
            preset = preset with { PatchSize = new((int)patch.Shape[2], (int)patch.Shape[3]) };
        }
        if (preset.Version == SwinVersion.V1 && checkpoint.Tensors.Values.FirstOrDefault(tensor => tensor.Name.EndsWith(".relative_position_bias_table", StringComparison.Ordinal)) is { } table)
            preset = preset with { WindowSize = ((int)Math.Sqrt(table.Shape[0]) + 1) / 2 };
        return preset;
    }
}
