using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.VisionModels.Checkpoints;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// A training as a file: weights, their average and best, what the optimizer remembers, random states, and the position. One
/// safetensors file, in which the position stands as JSON in a tensor of bytes, so that it is there as a whole or not at all.
/// </summary>
internal static class Snapshot
{
    private const string PositionName = "position.json";

    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <param name="path">The file; one that is there is replaced when the new one is complete.</param>
    /// <param name="state">The training.</param>
    /// <param name="settings">What the training was told, by name.</param>
    public static void Write(string path, TrainingState state, IReadOnlyDictionary<string, string> settings)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var content = JsonSerializer.SerializeToUtf8Bytes(new Content(settings.ToDictionary(), state.ToPosition()), Json);
        SafetensorsWriter.Write(path,
        [
            (PositionName, tensor(content, dtype: ScalarType.Byte)),
            .. Tensors(state),
            .. state.Best.Tensors.Select(t => ("best." + t.Name, t.Value)),
            .. state.Task.Generators.Select((generator, i) => ($"generator.{i}", generator.get_state())),
        ]);
    }

    /// <summary>Takes up the training of a file.</summary>
    /// <exception cref="InvalidOperationException">It is another training; the message names the first difference.</exception>
    /// <exception cref="CheckpointException">The file is damaged, or of another network.</exception>
    public static void Read(string path, TrainingState state, IReadOnlyDictionary<string, string> settings)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var file = Checkpoint.Open(path);
        var content = ReadPosition(file);
        CheckSame(path, content.Settings, settings);

        var network = state.Task.Network;
        if (content.Position.BestEpoch is not null)
        {
            Fill(file, network.state_dict().Select(entry => ("best." + entry.Key, entry.Value)));
            state.Best.Keep(network);
        }
        Fill(file, Tensors(state));
        for (var i = 0; i < state.Task.Generators.Count; i++)
            state.Task.Generators[i].set_state(Read(file, $"generator.{i}"));
        state.GoTo(content.Position);
    }

    private static Content ReadPosition(Checkpoint file)
    {
        try
        {
            return JsonSerializer.Deserialize<Content>(Read(file, PositionName).bytes, Json) ?? throw new JsonException("it is empty.");
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{file.Path} is damaged: where its training stood cannot be read: {e.Message}", e);
        }
    }

    /// <summary>What is written from and read into its place.</summary>
    private static IEnumerable<(string Name, Tensor Value)> Tensors(TrainingState state) =>
    [
        .. state.Task.Network.state_dict().Select(entry => ("network." + entry.Key, entry.Value)),
        .. state.Average?.Tensors.Select(t => ("average." + t.Name, t.Value)) ?? [],
        .. state.Optimizer.State.Select(t => ("optimizer." + t.Name, t.Value)),
        .. state.Task.State.Select(t => ("task." + t.Name, t.Value)),
    ];

    private static void Fill(Checkpoint file, IEnumerable<(string Name, Tensor Target)> targets)
    {
        foreach (var (name, target) in targets)
        {
            if (!file.Tensors.TryGetValue(name, out var info) || !info.Shape.SequenceEqual(target.shape))
                throw new CheckpointException($"{file.Path} is of another network: it has no '{name}' of shape {target.shape.Text()}.");
            file.CopyTo(name, target);
        }
    }

    private static Tensor Read(Checkpoint file, string name) => file.Tensors.ContainsKey(name)
        ? file.Read(name)
        : throw new CheckpointException($"{file.Path} is no snapshot of a training: it has no '{name}'.");

    private static void CheckSame(string path, IReadOnlyDictionary<string, string> then, IReadOnlyDictionary<string, string> now)
    {
        foreach (var name in now.Keys.Union(then.Keys).Order(StringComparer.Ordinal))
        {
            var (before, after) = (then.GetValueOrDefault(name, "none"), now.GetValueOrDefault(name, "none"));
            if (before != after)
                throw new InvalidOperationException(
                    $"{path} is the snapshot of another training: its {name} is {before}, this one's {after}. Delete the file to train anew, or set another SnapshotFolder.");
        }
    }

    private sealed record Content(Dictionary<string, string> Settings, TrainingPosition Position);
}
