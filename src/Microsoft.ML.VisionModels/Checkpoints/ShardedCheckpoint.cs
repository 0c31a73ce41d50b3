using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// A checkpoint in several files, with an index whose <c>weight_map</c> names the file of each tensor. One file at a time is open, and
/// the tensors stand in the order of the files, so that who reads them in their order opens each file once, however many there are.
/// </summary>
internal sealed class ShardedCheckpoint : Checkpoint
{
    private readonly OrderedDictionary<string, TensorInfo> _tensors = [];
    private readonly Dictionary<string, string> _shardOf = [];
    private (string File, Checkpoint Checkpoint)? _open;

    public ShardedCheckpoint(string path)
        : base(path)
    {
        try
        {
            // A file may list tensors that the index does not, so the limit is for what the files list.
            var listed = 0;
            foreach (var shard in ReadIndex().GroupBy(entry => entry.File, entry => entry.Name))
            {
                var tensors = Shard(shard.Key).Tensors;
                if ((listed += tensors.Count) > Limits.Tensors)
                    throw new CheckpointException($"{Path}: its shards have more than {Limits.Tensors} tensors.");
                foreach (var name in shard)
                {
                    if (!tensors.TryGetValue(name, out var info))
                        throw new CheckpointException($"{Path}: tensor '{name}' should be in {shard.Key}, which does not have it.");
                    if (!_tensors.TryAdd(name, info))
                        throw new CheckpointException($"{Path}: tensor '{name}' is listed twice.");
                    _shardOf.Add(name, shard.Key);
                }
            }
        }
        catch
        {
            Dispose(disposing: true);
            throw;
        }
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    private protected override void Fill(Tensor target, TensorInfo info) => Shard(_shardOf[info.Name]).CopyTo(info.Name, target);

    protected override void Dispose(bool disposing)
    {
        _open?.Checkpoint.Dispose();
        _open = null;
    }

    private Checkpoint Shard(string file)
    {
        if (_open is { } open && open.File == file)
            return open.Checkpoint;
        Dispose(disposing: true);
        var checkpoint = OpenShard(file);
        _open = (file, checkpoint);
        return checkpoint;
    }

    private Checkpoint OpenShard(string file)
    {
        // A shard must be in the folder of the index: a hostile index could name any file of the machine.
        if (file is "" or "." or ".." || file.AsSpan().ContainsAny(['/', '\\', ':', '\0']) || file.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            throw new CheckpointException($"{Path}: '{file}' is not the name of a shard in the same folder.");

        var path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path) ?? "", file);
        return File.Exists(path)
            ? Checkpoint.Open(path)
            : throw new CheckpointException($"{Path}: the shard {file} is missing.");
    }

    private List<(string Name, string File)> ReadIndex()
    {
        var index = InputFile.ReadJson(Path);
        if (index.ValueKind != JsonValueKind.Object || !index.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            throw new CheckpointException($"{Path}: the index has no weight_map.");
        return [.. map.EnumerateObject().Select(entry => (entry.Name, entry.Value.ValueKind == JsonValueKind.String
            ? entry.Value.GetString()!
            : throw new CheckpointException($"{Path}: the weight_map does not name the shard of '{entry.Name}'.")))];
    }
}
