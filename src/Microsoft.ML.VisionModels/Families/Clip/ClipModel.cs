using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>How CLIP and SigLIP are published: Hugging Face's folder, open_clip's folder, or a file with OpenAI's names.</summary>
/// <param name="quickGelu">What the MLPs compute with, whatever the files say; null for what they say.</param>
internal sealed class ClipModel(bool? quickGelu = null) : PublishedFormat<ClipConfig, ClipNetwork>
{
    protected override IReadOnlyList<string> Landmarks { get; } = ["vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"];

    public override IReadOnlyList<Dialect> Dialects(ClipConfig config) => ClipDialect.All(config);

    protected override bool FolderNeedsConfig => false;

    public override IReadOnlyList<string> ModelTypes => ClipConfig.ModelTypes;

    protected override ClipConfig ReadConfig(JsonElement config, IReadOnlyDictionary<string, TensorInfo> tensors) => Activated(ClipConfig.FromHuggingFace(config));

    protected override ClipConfig ReadTensors(Checkpoint weights, ModelFolder folder)
    {
        var openClip = folder.ReadObject(OpenClipConfig.FileName);
        if (openClip is null && folder.IsFolder)
            throw new FileNotFoundException($"The folder {folder.Path} has neither config.json nor {OpenClipConfig.FileName}.", folder.Path);
        if (openClip is { } settings)
            OpenClipConfig.Check(settings);
        if (openClip is null && quickGelu is null && !SaysOpenAI(weights))
        {
            Notices.Say($"{weights.Path} does not say what its MLPs compute with: taken is OpenAI's approximation of GELU. " +
                "A network that open_clip trained has GELU itself, unless it is called 'quickgelu'; the option QuickGelu decides.");
        }
        return Activated(ClipConfig.FromOpenAI(weights, openClip));
    }

    /// <summary>What OpenAI's own files have beside the weights, and open_clip's do not.</summary>
    private static bool SaysOpenAI(Checkpoint weights) => weights.Tensors.ContainsKey("input_resolution") && weights.Tensors.ContainsKey("context_length");

    private ClipConfig Activated(ClipConfig config) => quickGelu is { } quick && (quick ? Activation.QuickGelu : Activation.Gelu) is var chosen
        ? config with { Vision = config.Vision with { Activation = chosen }, Text = config.Text with { Activation = chosen } }
        : config;

    protected override JsonObject WriteConfig(ClipNetwork network, IReadOnlyList<string>? labels) => network.Config.ToHuggingFace(network.IsBFloat16);

    /// <summary>As Hugging Face's processor of this kind prepares images, or OpenAI's own code and open_clip's.</summary>
    protected override ImagePreprocessing DefaultPreprocessing(ClipConfig config, ModelFolder folder)
    {
        var size = config.Vision.ImageSize;
        if (config.Sigmoid)
            return ImagePreprocessing.ExactSize(size.Height, size.Width, ResizeFilter.Bicubic);
        var isOriginal = folder.Config is null;
        return new()
        {
            Resize = new ImageResize.ShortestEdge(size.Height),
            Filter = ResizeFilter.Bicubic,
            CenterCrop = size,
            TorchvisionCrop = isOriginal,
            ConvertAfterResize = isOriginal,
            Normalization = (isOriginal ? OpenClipConfig.Normalization(folder.ReadObject(OpenClipConfig.FileName)) : null) ?? ImageNormalization.Clip,
        };
    }
}

/// <summary>The options that tell which published CLIP is meant.</summary>
internal interface IClipCheckpoint
{
    string? Checkpoint { get; }

    CheckpointWeights CheckpointWeights { get; }

    bool? QuickGelu { get; }
}

/// <summary>What is made of an opened CLIP.</summary>
internal static class PublishedClip
{
    /// <exception cref="FileNotFoundException">There is no such file or folder, or it has no weights.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or no CLIP.</exception>
    public static PublishedModel<ClipConfig, ClipNetwork> Open(IClipCheckpoint options) => new ClipModel(options.QuickGelu).Open(options.Checkpoint!, options.CheckpointWeights);

    /// <summary>How images become the vision tower's input: as the user chose, or as the publisher does.</summary>
    /// <exception cref="ArgumentException">Images would come out in another size than the tower's.</exception>
    public static ImagePreprocessing PreprocessingOr(this PublishedModel<ClipConfig, ClipNetwork> clip, ImagePreprocessing? chosen) =>
        clip.Preprocessing(chosen, clip.Config.Vision.ImageSize);

    /// <summary>The vision tower alone.</summary>
    public static ClipVisionNetwork VisionTower(this PublishedModel<ClipConfig, ClipNetwork> clip)
    {
        var network = clip.Build();
        network.Text.Dispose();
        return network.Vision;
    }

    /// <summary>The text tower alone.</summary>
    public static ClipTextNetwork TextTower(this PublishedModel<ClipConfig, ClipNetwork> clip)
    {
        var network = clip.Build();
        network.Vision.Dispose();
        return network.Text;
    }

    /// <summary>The tokenizer: of the path given, or of the files beside the weights.</summary>
    /// <exception cref="CheckpointException">The files are damaged, or are not this network's.</exception>
    public static ITextTokenizer OpenTokenizer(this PublishedModel<ClipConfig, ClipNetwork> clip, string? path)
    {
        var (files, text) = (path ?? clip.Folder!.Folder, clip.Config.Text);
        ITextTokenizer tokenizer = clip.Config.Sigmoid ? SigLipTokenizer.Load(files) : ClipTokenizer.Load(files);
        if (tokenizer.VocabularySize > text.VocabularySize)
            throw new CheckpointException($"The tokenizer of {files} knows {tokenizer.VocabularySize} tokens, but the network {text.VocabularySize}.");
        if (text.Pooling == ClipTextPooling.EndToken && text.EndToken != tokenizer.EndToken)
            throw new CheckpointException($"The tokenizer of {files} ends texts with the token {tokenizer.EndToken}, but the network looks for {text.EndToken}: it was trained with another.");
        return tokenizer;
    }

    /// <summary>The tokenizer of a model file.</summary>
    /// <exception cref="FormatException">The model file is damaged.</exception>
    /// <exception cref="CheckpointException">The vocabulary is damaged.</exception>
    public static ITextTokenizer ReadTokenizer(ModelArchiveReader archive) => SigLipTokenizer.TryLoad(archive) ?? (ITextTokenizer)ClipTokenizer.Load(archive);
}

internal sealed class ClipZeroShotKind() : ModelKind<ClipZeroShotOptions, ClipClassifierConfig, ClipClassifierNetwork>("clip-zero-shot", version: 1)
{
    public override BatchTransformer Create(IHostEnvironment environment, FittedModel model) => new ClassifierTransformer(environment, model);
}

internal sealed class ClipFewShotKind() : ModelKind<ClipFewShotOptions, ClipClassifierConfig, ClipClassifierNetwork>("clip-few-shot", version: 1)
{
    public override BatchTransformer Create(IHostEnvironment environment, FittedModel model) => new ClassifierTransformer(environment, model);
}

internal sealed class ClipImageEmbeddingKind() : ImageFeaturizerKind<ClipImageEmbeddingOptions, ClipConfig, ClipVisionNetwork>("clip-image-embedding", version: 1);

internal sealed class ClipTextEmbeddingKind() : ModelKind<ClipTextEmbeddingOptions, ClipTextConfig, ClipTextNetwork>("clip-text-embedding", version: 1)
{
    public override ITextTokenizer ReadTokenizer(ModelArchiveReader archive) => PublishedClip.ReadTokenizer(archive);

    public override BatchTransformer Create(IHostEnvironment environment, FittedModel model) => new ClipTextEmbeddingTransformer(environment, model);
}

internal sealed class ClipPairKind() : ModelKind<ClipTrainerOptions, ClipConfig, ClipNetwork>("clip", version: 1)
{
    public override ITextTokenizer ReadTokenizer(ModelArchiveReader archive) => PublishedClip.ReadTokenizer(archive);

    public override BatchTransformer Create(IHostEnvironment environment, FittedModel model) => new ClipTransformer(environment, model);
}
