using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.ViT;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Fuzz.Readers;

/// <summary>Loads a published folder as an estimator does.</summary>
internal abstract class FolderReader : Reader
{
    public override IReadOnlyList<Type> Documented => [typeof(CheckpointException), typeof(FileNotFoundException)];

    // Options may be what is wrong: there are none, but damaged files may need some.
    public override bool Allows(Exception exception) => base.Allows(exception)
        || (exception is ArgumentException && exception.StackTrace!.Contains("ImagePreprocessing.ForNetwork", StringComparison.Ordinal))
        || (exception is InvalidOperationException && exception.Message.Contains("no classification head", StringComparison.Ordinal));

    /// <summary>The golden cases that it reads.</summary>
    protected abstract IReadOnlyList<string> Golden { get; }

    public override void Prepare(string folder)
    {
        foreach (var name in Golden)
            Copy(folder, name, [.. new[] { "config.json", "model.safetensors", "preprocessor_config.json" }.Select(file => TestFile("Golden", name, file)).Where(File.Exists)]);
    }

    public override void Read(string folder)
    {
        var context = new MLContext(1);
        using var model = Fit(context, folder, context.Data.LoadImageFolder(TestFile("Models", "images"))) as IDisposable;
    }

    protected abstract ITransformer Fit(MLContext context, string folder, IDataView images);
}

internal sealed class ViTFolderReader : FolderReader
{
    public override string Name => "folder: ViT";

    protected override IReadOnlyList<string> Golden => ["vit-classifier", "deit"];

    public override void Prepare(string folder)
    {
        base.Prepare(folder);
        // As newer releases of Hugging Face's library write it.
        Copy(folder, "newer", TestFile("Golden", "vit-classifier", "config.json"), TestFile("Golden", "vit-classifier", "model.safetensors"));
        File.WriteAllText(Path.Combine(folder, "newer", "processor_config.json"), $"{{\"image_processor\":{File.ReadAllText(TestFile("Golden", "vit-classifier", "preprocessor_config.json"))}}}");
    }

    protected override ITransformer Fit(MLContext context, string folder, IDataView images) => context.Transforms.PretrainedViTClassifier(folder).Fit(images);
}

internal sealed class SwinFolderReader : FolderReader
{
    public override string Name => "folder: Swin";

    protected override IReadOnlyList<string> Golden => ["swin-classifier", "swinv2-classifier"];

    protected override ITransformer Fit(MLContext context, string folder, IDataView images) => context.Transforms.PretrainedSwinClassifier(folder).Fit(images);
}

internal sealed class SwinFeaturesFolderReader : FolderReader
{
    public override string Name => "folder: Swin features";

    protected override IReadOnlyList<string> Golden => ["swin-classifier"];

    protected override ITransformer Fit(MLContext context, string folder, IDataView images) => context.Transforms.SwinFeatures(folder).Fit(images);
}

/// <summary>Every family whose features can be taken, found by what the files say.</summary>
internal sealed class SslFolderReader : FolderReader
{
    public override string Name => "folder: features";

    protected override IReadOnlyList<string> Golden => ["dino-vit", "dinov2", "dinov2-classifier", "dinov2-giant", "swin-classifier"];

    public override void Prepare(string folder)
    {
        base.Prepare(folder);
        // A bare file, whose tensors alone tell what it is.
        Copy(folder, "bare", TestFile("Golden", "ssl-resnet18", "model.safetensors"));
    }

    protected override ITransformer Fit(MLContext context, string folder, IDataView images) =>
        context.Transforms.PretrainedFeaturizer(File.Exists(Path.Combine(folder, "config.json")) ? folder : Path.Combine(folder, "model.safetensors")).Fit(images);
}

internal sealed class ClipFolderReader : FolderReader
{
    public override string Name => "folder: CLIP, SigLIP";

    protected override IReadOnlyList<string> Golden => ["clip", "siglip"];

    protected override ITransformer Fit(MLContext context, string folder, IDataView images) => context.Transforms.ClipImageEmbedding(folder).Fit(images);
}

internal sealed class SamFolderReader : FolderReader
{
    public override string Name => "folder: SAM";

    protected override IReadOnlyList<string> Golden => ["sam"];

    protected override ITransformer Fit(MLContext context, string folder, IDataView images) =>
        context.Transforms.SamMasks(new SamMasksOptions { Checkpoint = folder, Points = [1, 1] }).Fit(images);
}

/// <summary>CLIP with its tokenizer and a list of labels.</summary>
internal sealed class ZeroShotReader : FolderReader
{
    public override string Name => "folder: zero-shot, labels";

    public override IReadOnlyList<Type> Documented => [typeof(CheckpointException), typeof(FileNotFoundException), typeof(ArgumentException)];

    protected override IReadOnlyList<string> Golden => [];

    public override void Prepare(string folder)
    {
        var input = Directory.CreateDirectory(Path.Combine(folder, "words")).FullName;
        var tokenizer = ClipTokenizer.Learn(["a photo of a red square.", "a photo of a green square.", "a photo of a blue square."], 520);
        var config = ClipConfig.Of(
            new ViTConfig { ImageSize = 16, PatchSize = 8, Width = 16, Depth = 1, Heads = 2, MlpWidth = 16 },
            new ClipTextConfig { VocabularySize = tokenizer.VocabularySize, Positions = 24, Width = 16, Depth = 1, Heads = 2, MlpWidth = 16 },
            embeddingSize: 8);
        using var generator = new torch.Generator(5);
        using var network = new ClipNetwork(config).Drawn(generator);
        CheckpointLoader.Save(network, ClipDialect.HuggingFace, Path.Combine(input, "model.safetensors"));
        File.WriteAllText(Path.Combine(input, "config.json"), config.ToHuggingFace().ToIndentedText());
        tokenizer.SaveFolder(input, config.Text.Positions);
        File.WriteAllText(Path.Combine(input, "labels.txt"), "red square\ngreen square\r\nblue square\n");
    }

    protected override ITransformer Fit(MLContext context, string folder, IDataView images) =>
        context.Transforms.ClipZeroShot(new ClipZeroShotOptions { Checkpoint = folder, LabelsFile = Path.Combine(folder, "labels.txt") }).Fit(images);
}
