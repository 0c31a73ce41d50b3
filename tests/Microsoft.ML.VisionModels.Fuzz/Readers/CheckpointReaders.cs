using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Fuzz.Readers;

/// <summary>Opens weights and reads every tensor.</summary>
internal abstract class CheckpointReader : Reader
{
    public override IReadOnlyList<Type> Documented => [typeof(CheckpointException), typeof(FileNotFoundException)];

    public override void Read(string folder) => ReadAll(FileOf(folder));

    protected static void ReadAll(string path)
    {
        using var checkpoint = Checkpoint.Open(path);
        foreach (var name in checkpoint.Tensors.Keys)
            checkpoint.Read(name).Dispose();
    }
}

internal sealed class SafetensorsReader : CheckpointReader
{
    public override string Name => "safetensors";

    public override void Prepare(string folder)
    {
        Copy(folder, "golden", TestFile("Golden", "vit-featurizer", "model.safetensors"));
        var types = Directory.CreateDirectory(Path.Combine(folder, "types")).FullName;
        using var scope = torch.NewDisposeScope();
        SafetensorsWriter.Write(Path.Combine(types, "small.safetensors"),
        [
            ("half", torch.ones(3, 2, dtype: torch.ScalarType.Float16)), ("brain", torch.ones(2, dtype: torch.ScalarType.BFloat16)),
            ("double", torch.ones(2, dtype: torch.ScalarType.Float64)), ("long", torch.ones(1, dtype: torch.ScalarType.Int64)),
            ("byte", torch.ones(5, dtype: torch.ScalarType.Byte)), ("none", torch.ones(0)), ("scalar", torch.tensor(1f)),
        ]);
    }
}

internal sealed class TorchZipReader : CheckpointReader
{
    public override string Name => "torch zip";

    public override void Prepare(string folder)
    {
        foreach (var name in new[] { "zip.pt", "nested.pt", "training.ckpt" })
            Copy(folder, name, TestFile("Checkpoints", name));
    }
}

internal sealed class TorchLegacyReader : CheckpointReader
{
    public override string Name => "torch legacy";

    public override void Prepare(string folder) => Copy(folder, "legacy", TestFile("Checkpoints", "legacy.pt"));
}

internal sealed class ShardedReader : CheckpointReader
{
    public override string Name => "sharded";

    public override void Prepare(string folder)
    {
        var input = Directory.CreateDirectory(Path.Combine(folder, "three")).FullName;
        var map = new JsonObject();
        using var scope = torch.NewDisposeScope();
        using var whole = Checkpoint.Open(TestFile("Golden", "vit-classifier", "model.safetensors"));
        foreach (var (index, names) in whole.Tensors.Keys.Chunk(whole.Tensors.Count / 3 + 1).Index())
        {
            var file = $"model-{index + 1:00000}-of-00003.safetensors";
            SafetensorsWriter.Write(Path.Combine(input, file), [.. names.Select(name => (name, whole.Read(name)))]);
            foreach (var name in names)
                map[name] = file;
        }
        File.WriteAllText(Path.Combine(input, "model.safetensors.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
    }

    public override void Read(string folder) => ReadAll(folder);
}
