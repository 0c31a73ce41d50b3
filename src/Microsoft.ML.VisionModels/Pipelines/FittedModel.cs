using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What a transformer consists of, and what stands in its model file. It owns the network.</summary>
internal sealed class FittedModel : IDisposable
{
    private readonly ScoringNetwork _network;

    /// <param name="options">How to score.</param>
    /// <param name="network">The network, which becomes this one's.</param>
    /// <param name="device">Where it scores.</param>
    public FittedModel(ScoringOptions options, nn.Module network, Device device)
    {
        (Kind, Options) = (ModelKind.Of(options), options);
        _network = new(network, device, options.Precision);
    }

    public ModelKind Kind { get; }

    /// <summary>Of a model that was loaded, the scoring settings alone are as they were.</summary>
    public ScoringOptions Options { get; }

    /// <summary>Where it scores.</summary>
    public Device Device => _network.Device;

    /// <summary>How images become the network's input; null for a model of text alone.</summary>
    public ImageProcessor? Processor { get; init; }

    /// <summary>The classes of a classifier.</summary>
    public LabelSet? Labels { get; init; }

    /// <summary>How texts become the network's input; null for a model of images alone.</summary>
    public ITextTokenizer? Tokenizer { get; init; }

    /// <summary>A model within the model, which is saved with it.</summary>
    public ITransformer? Inner { get; init; }

    /// <summary>Whether <see cref="Inner"/> goes when this model does.</summary>
    public bool OwnsInner { get; init; }

    /// <summary>How training went; null for a model that was loaded, or not trained.</summary>
    public TrainingHistory? History { get; init; }

    /// <summary>What stops scoring. A training's token has done its work when there is a model.</summary>
    public CancellationToken Cancellation => Options is TrainerOptions ? CancellationToken.None : Options.CancellationToken;

    /// <summary>The class of the transformer that has the model, for messages.</summary>
    public string? Owner { get; set; }

    /// <summary>Hears once what is said in all scoring of the model.</summary>
    public NoticeLog? Notices { get; set; }

    /// <summary>The network for one call.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed of.</exception>
    public NetworkUse Use() => _network.TryUse() ?? throw new ObjectDisposedException(Owner,
        "The model was disposed of. Whoever made it disposes of it, when nobody needs it any more; a PredictionEngine disposes of its model too, unless PredictionEngineOptions.OwnsTransformer is false.");

    /// <summary>Frees the network, and the model within, as soon as no call uses them any more.</summary>
    public void Dispose() => _network.Dispose(with: OwnsInner ? Inner as IDisposable : null);

    /// <summary>Writes a folder as others publish such networks.</summary>
    public void Publish(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (Kind is not IPublishedKind published)
            throw new InvalidOperationException($"A '{Kind.Name}' is published as a part of another network alone.");
        using var network = Use();
        published.Publish(this, network, folder);
    }

    public void Save(NetworkUse network, ModelArchiveWriter archive) => ModelFormat.Save(this, network, archive);
}

/// <summary>
/// A model in its file. The first entry says its kind, the kind's version and which parts there are, each of which must then be there;
/// see docs/decisions/0013-model-files.md.
/// </summary>
internal sealed class ModelFormat : IModelFormat
{
    private const string Header = "Model.json";
    private const string Settings = "Settings.json";
    private const string Config = "Config.json";
    private const string Weights = "Weights.safetensors";
    private const string Preprocessing = "Preprocessing.json";
    private const string Labels = "Labels.json";
    private const string Tokenizer = "Tokenizer";
    private const string Inner = "Inner";

    private sealed record Head(string Kind, int Version, string Package, string[] Parts);

    private static string Package => typeof(ModelFormat).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static void Save(FittedModel model, NetworkUse network, ModelArchiveWriter archive)
    {
        string?[] parts =
        [
            model.Processor is null ? null : Preprocessing, model.Labels is null ? null : Labels,
            model.Tokenizer is null ? null : Tokenizer, model.Inner is null ? null : Inner,
        ];
        archive.WriteText(Header, ModelJson.Write(new Head(model.Kind.Name, model.Kind.Version, Package, [.. parts.OfType<string>()])));
        archive.WriteText(Settings, ModelJson.Write(model.Options));
        archive.WriteText(Config, model.Kind.WriteConfig(network.Module));
        if (model.Processor is not null)
            archive.WriteText(Preprocessing, model.Processor.Settings.ToHuggingFace());
        if (model.Labels is not null)
            archive.WriteText(Labels, ModelJson.Write(model.Labels));
        model.Tokenizer?.Save(archive);
        if (model.Inner is not null)
            archive.WriteModel(Inner, model.Inner);
        archive.WriteBytes(Weights, stream => CheckpointLoader.Save(network.Module, Dialect.Identity, stream));
    }

    public ITransformer Load(IHostEnvironment environment, ModelArchiveReader archive)
    {
        var head = ModelJson.Read<Head>(archive.ReadText(Header));
        if (!ModelKind.All.TryGetValue(head.Kind, out var kind))
            throw new FormatException($"The model file holds a '{head.Kind}', written by version {head.Package} of Microsoft.ML.VisionModels, which version {Package} does not know. Update the package.");
        if (head.Version > kind.Version)
            throw new FormatException($"The model file holds a '{head.Kind}' of version {head.Version}, written by version {head.Package} of Microsoft.ML.VisionModels; version {Package} reads those up to version {kind.Version}. Update the package.");
        if (head.Version < 1)
            throw new FormatException($"The model file is damaged: its version is {head.Version}.");

        var options = (ScoringOptions)ModelJson.Read(Read(Settings), kind.Options);
        var device = Devices.Resolve(environment);
        var config = Read(Config);
        nn.Module? network = null;
        try
        {
            archive.ReadBytes(Weights, stream =>
            {
                using var weights = new SafetensorsStream(stream, Weights);
                network = kind.ReadNetwork(config, weights);
                // The weights come in the type that they were saved in.
                if (options.Precision == Precision.BFloat16)
                    network.to(ScalarType.BFloat16);
                CheckpointLoader.Load(network, weights, Dialect.Identity);
            });
            return kind.Create(environment, new FittedModel(options, network!, device)
            {
                Processor = Has(Preprocessing) ? new(ImagePreprocessing.FromHuggingFace(JsonSerializer.SerializeToElement(ModelJson.ReadObject(Read(Preprocessing), Preprocessing)))) : null,
                Labels = Has(Labels) ? ModelJson.Read<LabelSet>(Read(Labels)) : null,
                Tokenizer = Has(Tokenizer) ? kind.ReadTokenizer(archive) : null,
                Inner = Has(Inner) ? archive.ReadModel<ITransformer>(environment, Inner) : null,
                OwnsInner = true,
            });
        }
        catch
        {
            network?.Dispose();
            throw;
        }

        bool Has(string part) => head.Parts.Contains(part);

        string Read(string entry)
        {
            var text = archive.ReadText(entry);
            return head.Version == kind.Version ? text : Upgrade(kind, head.Version, entry, ModelJson.ReadObject(text, entry)).ToJsonString();
        }
    }

    /// <summary>An entry of an older version as the present one has it.</summary>
    private static JsonObject Upgrade(ModelKind kind, int version, string entry, JsonObject content)
    {
        foreach (var upgrade in kind.Upgrades.Skip(version - 1))
            upgrade(entry, content);
        return content;
    }
}
