using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>A published CLIP: Hugging Face's folder, open_clip's folder, or a file with OpenAI's names.</summary>
/// <param name="Path">The folder or file.</param>
/// <param name="Config">Its hyper-parameters.</param>
/// <param name="Preprocessing">How it wants its images.</param>
internal sealed record ClipSource(string Path, ClipConfig Config, ImagePreprocessing Preprocessing)
{
    /// <exception cref="FileNotFoundException">There is no such file or folder.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or no CLIP.</exception>
    public static ClipSource Open(string path)
    {
        using var checkpoint = Checkpoint.Open(path);
        if (Directory.Exists(path) && File.Exists(System.IO.Path.Combine(path, "config.json")))
        {
            var folder = HuggingFaceFolder.Open(path);
            var network = folder.Read(ClipConfig.FromHuggingFace);
            return new(path, network, folder.Preprocessing ?? Usual(network));
        }
        var openClip = HuggingFaceFolder.ReadObject(System.IO.Path.Combine(FolderOf(path), OpenClipConfig.FileName));
        if (openClip is null && Directory.Exists(path))
            throw new FileNotFoundException($"The folder {path} has neither config.json nor {OpenClipConfig.FileName}.", path);
        if (openClip is { } settings)
            OpenClipConfig.Check(settings);
        var config = ClipConfig.FromOpenAI(checkpoint, openClip);
        return new(path, config, Original(config.Vision.ImageSize) with { Normalization = Normalization(openClip) ?? ImageNormalization.Clip });
    }

    /// <summary>The network with the published weights.</summary>
    /// <param name="generator">The source of dropout while training; scoring needs none.</param>
    public ClipNetwork Build(TorchSharp.torch.Generator? generator = null)
    {
        var network = new ClipNetwork(Config, generator);
        try
        {
            using var checkpoint = Checkpoint.Open(Path);
            CheckpointLoader.Load(network, checkpoint, Dialect.For(checkpoint, ClipDialect.All(Config)));
            network.eval();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>How images become the vision tower's input: as the user chose, or as the publisher does.</summary>
    /// <exception cref="ArgumentException">Images would come out in another size than the tower's.</exception>
    public ImagePreprocessing PreprocessingOr(ImagePreprocessing? chosen) => NetworkInput.Preprocessing(chosen, Preprocessing, null, Config.Vision.ImageSize);

    /// <summary>The vision tower alone.</summary>
    public ClipVisionModel VisionModel()
    {
        var network = Build();
        network.Text.Dispose();
        return new(Config, network.Vision);
    }

    /// <summary>The text tower alone.</summary>
    public ClipTextModel TextModel()
    {
        var network = Build();
        network.Vision.Dispose();
        return new(Config, network.Text);
    }

    /// <summary>The tokenizer: of the path given, or of the files beside the weights.</summary>
    /// <exception cref="CheckpointException">The files are damaged, or are not this network's.</exception>
    public ITextTokenizer OpenTokenizer(string? path)
    {
        var files = path ?? FolderOf(Path);
        ITextTokenizer tokenizer = Config.Sigmoid ? SigLipTokenizer.Load(files) : ClipTokenizer.Load(files);
        if (tokenizer.VocabularySize > Config.Text.VocabularySize)
            throw new CheckpointException($"The tokenizer of {files} knows {tokenizer.VocabularySize} tokens, but the network {Config.Text.VocabularySize}.");
        if (Config.Text.Pooling == ClipTextPooling.EndToken && Config.Text.EndToken != tokenizer.EndToken)
            throw new CheckpointException($"The tokenizer of {files} ends texts with the token {tokenizer.EndToken}, but the network looks for {Config.Text.EndToken}: it was trained with another.");
        return tokenizer;
    }

    /// <summary>As Hugging Face's processor of this kind prepares images where no file tells otherwise.</summary>
    private static ImagePreprocessing Usual(ClipConfig config) => config.Sigmoid
        ? ImagePreprocessing.ExactSize(config.Vision.ImageSize.Height, config.Vision.ImageSize.Width, ResizeFilter.Bicubic)
        : Original(config.Vision.ImageSize) with { TorchvisionCrop = false };

    /// <summary>open_clip's <c>preprocess_cfg</c>; null where it does not say.</summary>
    private static ImageNormalization? Normalization(JsonElement? openClip) =>
        openClip?.TryGetProperty("preprocess_cfg", out var settings) == true && Channels(settings, "mean") is { } mean && Channels(settings, "std") is { } std
            ? new(mean, std)
            : null;

    private static (float, float, float)? Channels(JsonElement settings, string name)
    {
        if (!settings.TryGetProperty(name, out var values) || values.ValueKind == JsonValueKind.Null)
            return null;
        return values.ValueKind == JsonValueKind.Array && values.GetArrayLength() == 3 && values.EnumerateArray().All(value => value.ValueKind == JsonValueKind.Number)
            ? (values[0].GetSingle(), values[1].GetSingle(), values[2].GetSingle())
            : throw new CheckpointException($"{OpenClipConfig.FileName} has preprocess_cfg.{name} = {values.GetRawText()}, which should be three numbers.");
    }

    /// <summary>As OpenAI's own code prepares images, and open_clip's by default.</summary>
    private static ImagePreprocessing Original(ImageSize size) => new()
    {
        Resize = new ImageResize.ShortestEdge(size.Height),
        Filter = ResizeFilter.Bicubic,
        CenterCrop = size,
        TorchvisionCrop = true,
        Normalization = ImageNormalization.Clip,
    };

    private static string FolderOf(string path) => Directory.Exists(path) ? path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
}
