using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>A fitted image classifier, whose network can be published as others publish theirs.</summary>
public sealed class ImageClassifierTransformer : ClassifierTransformer
{
    internal ImageClassifierTransformer(IHostEnvironment environment, FittedModel model) : base(environment, model)
    {
    }

    /// <summary>
    /// Writes the model as Hugging Face publishes its kind: config.json with the labels, model.safetensors with the official
    /// tensor names, preprocessor_config.json. Other libraries, and this one, load the folder.
    /// </summary>
    /// <param name="folder">Made where it does not exist.</param>
    public void SaveCheckpoint(string folder) => Model.Publish(folder);
}

/// <summary>A kind of model that can be written as others publish it.</summary>
internal interface IPublishedKind
{
    void Publish(FittedModel model, NetworkUse network, string folder);
}

/// <summary>A kind of trained image classifier.</summary>
/// <param name="name">The name in model files.</param>
/// <param name="version">From 1 on.</param>
/// <param name="format">How the family's networks are published.</param>
internal abstract class ImageClassifierKind<TOptions, TConfig, TNetwork>(string name, int version, PublishedFormat<TConfig, TNetwork> format)
    : ModelKind<TOptions, TConfig, TNetwork>(name, version), IPublishedKind
    where TOptions : ImageClassifierOptions
    where TConfig : class
    where TNetwork : nn.Module, INetwork<TConfig, TNetwork>, ITrainableClassifier
{
    public sealed override BatchTransformer Create(IHostEnvironment environment, FittedModel model) => new ImageClassifierTransformer(environment, model);

    public void Publish(FittedModel model, NetworkUse network, string folder) => format.Save(network.As<TNetwork>(), model.Labels!.Names, model.Processor!.Settings, folder);
}
