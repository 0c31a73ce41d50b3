using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>A featurizer: adds what a network tells of each image, for search, clustering or another trainer.</summary>
public sealed class ImageFeaturizerTransformer : ImageTransformer
{
    /// <exception cref="ArgumentException">The network has no feature of which a column is wanted.</exception>
    internal ImageFeaturizerTransformer(IHostEnvironment environment, FittedModel model) : base(environment, model)
    {
        try
        {
            using var network = model.Use();
            Require((IFeatureColumns)model.Options, network.As<IFeatureNetwork>());
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <exception cref="ArgumentException">The network has no feature of which a column is wanted.</exception>
    internal static void Require(IFeatureColumns columns, IFeatureNetwork network)
    {
        var known = network.Features.Select(feature => feature.Name).ToArray();
        if (columns.Features.FirstOrDefault(feature => feature.Column is not null && !known.Contains(feature.Feature)) is { Feature: { } unknown, Column: var column })
            throw new ArgumentException($"{unknown}ColumnName is '{column}', but the network has no {unknown}; it has {string.Join(", ", known)}.");
    }

    /// <summary>
    /// Writes the network as Hugging Face publishes its kind, without a head: config.json, model.safetensors with the official tensor
    /// names, preprocessor_config.json. A classifier of the same family takes the folder as its checkpoint and fine-tunes it.
    /// </summary>
    /// <param name="folder">Made where it does not exist.</param>
    /// <exception cref="InvalidOperationException">Such a network is published as a part of another alone, as CLIP's is.</exception>
    public void SaveCheckpoint(string folder) => Model.Publish(folder);

    internal override IBatchScorer Bind(DataViewSchema inputSchema, NetworkUse network, CancellationToken cancellation) =>
        new ImageFeaturizerScorer(inputSchema, Model, network.As<IFeatureNetwork>(), cancellation);
}

/// <summary>Scores images with a featurizer, a batch at a time. A row's result has one array for each output; null where nobody wants it.</summary>
internal sealed class ImageFeaturizerScorer : ImageScorer<float[]?[]?>
{
    private readonly ImageFeature[] _features;      // of each output

    public ImageFeaturizerScorer(DataViewSchema schema, FittedModel model, IFeatureNetwork network, CancellationToken cancellation) : base(schema, model, cancellation)
    {
        var columns = ((IFeatureColumns)model.Options).Features.Where(feature => feature.Column is not null).ToDictionary(feature => feature.Feature, feature => feature.Column!);
        _features = [.. network.Features.Where(feature => columns.ContainsKey(feature.Name))];
        Outputs = [.. _features.Select((feature, i) => Vector(columns[feature.Name], feature.Shape, null, result => result?[i]))];
    }

    public override IReadOnlyList<OutputColumn<float[]?[]?>> Outputs { get; }

    private protected override IEnumerable<float[]?[]?> Score(NetworkUse network, Tensor pixels, IReadOnlyList<bool> wanted)
    {
        var output = network.As<IFeatureNetwork>().Describe(pixels, _features.Where((_, i) => wanted[i]).Select(feature => feature.Name).ToHashSet());
        var perOutput = Array.ConvertAll(_features, feature => output.TryGetValue(feature.Name, out var tensor) ? tensor.ToRows() : null);
        return Enumerable.Range(0, (int)pixels.shape[0]).Select(row => Array.ConvertAll(perOutput, rows => rows?[row]));
    }
}

/// <summary>A kind of featurizer of images.</summary>
internal abstract class ImageFeaturizerKind<TOptions, TConfig, TNetwork>(string name, int version) : ModelKind<TOptions, TConfig, TNetwork>(name, version)
    where TOptions : ImageFeaturizerOptions
    where TNetwork : nn.Module, INetwork<TConfig, TNetwork>, IFeatureNetwork
{
    public sealed override BatchTransformer Create(IHostEnvironment environment, FittedModel model) => new ImageFeaturizerTransformer(environment, model);

    /// <summary>What fitting does with a network that was loaded.</summary>
    public static ImageFeaturizerTransformer Fit(FitContext<TOptions> context, TNetwork network, ImagePreprocessing preprocessing) =>
        new(context.Host, new(context.Options, network, context.Device) { Processor = new(preprocessing) });
}
