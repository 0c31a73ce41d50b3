using System.Text.Json;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>A checkpoint in several files, with an index whose <c>weight_map</c> names the file of each tensor.</summary>
internal sealed class ShardedCheckpoint : Checkpoint
{
    private readonly OrderedDictionary<string, TensorInfo> _tensors = [];
    private readonly Dictionary<string, Checkpoint> _shardOf = [];
    private readonly Dictionary<string, Checkpoint> _shards = [];

    public ShardedCheckpoint(string path)
        : base(path)
    {
        try
        {
            Open();
        }
        catch
        {
            Dispose(disposing: true);
            throw;
        }
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    private protected override void Fill(Tensor target, TensorInfo info) => _shardOf[info.Name].CopyTo(info.Name, target);

    protected override void Dispose(bool disposing)
    {
        foreach (var shard in _shards.Values)
            shard.Dispose();
    }

    private void Open()
    {
        foreach (var (name, file) in ReadIndex())
        {
            if (!_shards.TryGetValue(file, out var shard))
                _shards.Add(file, shard = OpenShard(file));
            if (!shard.Tensors.TryGetValue(name, out var info))
                throw new CheckpointException($"{Path}: tensor '{name}' should be in {file}, which does not have it.");
            if (!_tensors.TryAdd(name, info))
                throw new CheckpointException($"{Path}: tensor '{name}' is listed twice.");
            _shardOf.Add(name, shard);
        }
    }

    private Checkpoint OpenShard(string file)
    {
        // A shard must be in the folder of the index: a hostile index could name any file of the machine.
        if (file is "" or "." or ".." || file.AsSpan().ContainsAny(['/', '\\', ':', '\0']) || file.EndsWith(".index.json", StringComparison.OrdinalIgnoreCase))
            throw new CheckpointException($"{Path}: '{file}' is not the name of a shard in the same folder.");

        var path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path) ?? "", file);
        return File.Exists(path)
            ? Checkpoint.Open(path)
            : throw new CheckpointException($"{Path}: the shard {file} is missing.");
    }

    private List<(string Name, string File)> ReadIndex()
    {
        try
        {
            using var index = JsonDocument.Parse(File.ReadAllBytes(Path), new JsonDocumentOptions { MaxDepth = 8 });
            if (index.RootElement.ValueKind != JsonValueKind.Object || !index.RootElement.TryGetProperty("weight_map", out var map))
                throw new CheckpointException($"{Path}: the index has no weight_map.");
            return [.. map.EnumerateObject().Select(entry => (entry.Name, entry.Value.GetString() ?? ""))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException($"{Path}: the index is not valid: {e.Message}", e);
        }
    }
}
