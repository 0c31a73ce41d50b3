using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>A fitted image classifier, whose network can be published as others publish theirs.</summary>
public abstract class ImageClassifierTransformer : ClassifierTransformer
{
    /// <summary>The model becomes the transformer's.</summary>
    private protected ImageClassifierTransformer(IHostEnvironment environment, string name, ClassifierParts parts) : base(environment, name, parts)
    {
    }

    private protected ImageClassifierTransformer(IHostEnvironment environment, string name, ModelArchiveReader archive, Func<string, TrainableClassifierModel> build)
        : base(environment, name, archive, build)
    {
    }

    /// <summary>
    /// Writes the model as Hugging Face publishes its kind: config.json with the labels, model.safetensors with the official
    /// tensor names, preprocessor_config.json. Other libraries, and this one, load the folder.
    /// </summary>
    /// <param name="folder">Made where it does not exist.</param>
    public void SaveCheckpoint(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ObjectDisposedException.ThrowIf(Model.IsDisposed, this);
        Directory.CreateDirectory(folder);
        ((TrainableClassifierModel)Model).SaveCheckpoint(folder, Labels);
        AtomicFile.WriteText(Path.Combine(folder, "preprocessor_config.json"), Preprocessing.ToHuggingFace());
    }
}
