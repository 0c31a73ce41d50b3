using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>What a published full-size checkpoint holds: its configuration, and every tensor's name and shape.</summary>
internal sealed class Manifest
{
    private readonly string _name;
    private readonly JsonElement _root;

    private Manifest(string name, JsonElement root) => (_name, _root) = (name, root);

    public JsonElement Config => _root.GetProperty("config");

    /// <summary>The tensors as a checkpoint lists them.</summary>
    public IReadOnlyDictionary<string, TensorInfo> Tensors => _root.GetProperty("tensors").EnumerateObject().ToDictionary(
        tensor => tensor.Name, tensor => new TensorInfo(tensor.Name, torch.ScalarType.Float32, [.. tensor.Value.EnumerateArray().Select(size => size.GetInt64())]));

    public static Manifest Open(string name) => new(name, Read(name));

    /// <summary>A map between the names of two publishers: by a file's name of a tensor the part of the model, and its name there.</summary>
    public static Dictionary<string, (string Part, string Name)> ReadMap(string name) => Read(name).GetProperty("map").EnumerateObject()
        .ToDictionary(entry => entry.Name, entry => entry.Value.GetProperty("to") is var to ? (to[0].GetString()!, to[1].GetString()!) : default);

    private static JsonElement Read(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TestFolders.Manifests, name + ".json")));
        return document.RootElement.Clone();
    }

    /// <summary>Fails unless the network, saved in these names, has exactly the published tensors but for those that the dialect ignores.</summary>
    public void AssertEqual(torch.nn.Module network, Dialect dialect)
    {
        var prefix = dialect.OfficialPrefix(network.state_dict().Select(entry => entry.Key));
        var ours = dialect.ForeignTensors(network.state_dict().Select(entry => (entry.Key, entry.Value.shape)))
            .Select(tensor => $"{tensor.Name} [{string.Join(", ", tensor.Shape)}]");
        var theirs = _root.GetProperty("tensors").EnumerateObject()
            .Where(tensor => !dialect.Ignores(tensor.Name, prefix))
            .Select(tensor => $"{tensor.Name} [{string.Join(", ", tensor.Value.EnumerateArray().Select(size => size.GetInt64()))}]")
            .ToArray();
        Assert.NotEmpty(theirs);
        Assert.Equal(theirs.Order(StringComparer.Ordinal), ours.Order(StringComparer.Ordinal));
    }
}
