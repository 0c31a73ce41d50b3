using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Makes a JSON entry of a model file what the next version of its kind has; entries that did not change are left as they are.</summary>
/// <param name="entry">The entry's name, such as "Settings.json".</param>
/// <param name="content">Its content, to be changed in place.</param>
internal delegate void ModelUpgrade(string entry, JsonObject content);

/// <summary>
/// A kind of model as it stands in model files. Its name stays the same for ever, whatever classes are called; its version goes up by
/// one when a JSON entry changes its form, and an upgrade then makes old entries new ones. Found by reflection.
/// </summary>
/// <param name="name">The name in model files.</param>
/// <param name="version">From 1 on.</param>
internal abstract class ModelKind(string name, int version)
{
    private static readonly Dictionary<Type, ModelKind> s_byOptions = Registry.All<ModelKind>().ToDictionary(kind => kind.Options);

    public string Name => name;

    public int Version => version;

    /// <summary>The options of which the model keeps its scoring settings.</summary>
    public abstract Type Options { get; }

    /// <summary>The first makes version 2 of version 1, and so on.</summary>
    public virtual IReadOnlyList<ModelUpgrade> Upgrades => [];

    /// <summary>The kinds by name, as model files tell it. A test may add one.</summary>
    public static ConcurrentDictionary<string, ModelKind> All { get; } = new(Registry.All<ModelKind>().Select(kind => KeyValuePair.Create(kind.Name, kind)));

    public static ModelKind Of(ScoringOptions options) => s_byOptions[options.GetType()];

    public abstract string WriteConfig(nn.Module network);

    /// <summary>Builds the network of a configuration; its weights are yet to be loaded.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="weights">Its weights, whose names and shapes say how large it may be.</param>
    /// <exception cref="FormatException">The configuration cannot be read, makes no network, or one that the weights are not of.</exception>
    public nn.Module ReadNetwork(string config, Checkpoint weights)
    {
        try
        {
            using var _ = new WeightAllowance(weights);
            return Build(config);
        }
        catch (Exception e) when (e is ArgumentException or ArithmeticException or CheckpointException or ExternalException)
        {
            throw new FormatException($"The model file is damaged: the numbers of its configuration make no network of its weights: {e.Message}", e);
        }
    }

    /// <summary>The network of a configuration, without values.</summary>
    public abstract nn.Module Build(string config);

    /// <exception cref="FormatException">The tokenizer's entries are damaged.</exception>
    public virtual ITextTokenizer ReadTokenizer(ModelArchiveReader archive) => throw new FormatException($"The model file is damaged: a '{name}' has no tokenizer.");

    /// <summary>The transformer of a model, which becomes its.</summary>
    public abstract BatchTransformer Create(IHostEnvironment environment, FittedModel model);
}

/// <inheritdoc/>
/// <typeparam name="TOptions">The options of which the model keeps its scoring settings.</typeparam>
/// <typeparam name="TConfig">The network's hyper-parameters.</typeparam>
/// <typeparam name="TNetwork">The network.</typeparam>
internal abstract class ModelKind<TOptions, TConfig, TNetwork>(string name, int version) : ModelKind(name, version)
    where TOptions : ScoringOptions
    where TNetwork : nn.Module, INetwork<TConfig, TNetwork>
{
    public sealed override Type Options => typeof(TOptions);

    public sealed override string WriteConfig(nn.Module network) => ModelJson.Write(((TNetwork)network).Config);

    public sealed override nn.Module Build(string config) => TNetwork.Create(ModelJson.Read<TConfig>(config));
}
