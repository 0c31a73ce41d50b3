using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>A published SAM: Hugging Face's folder, Meta's file, or MobileSAM's. A file tells by its tensors which it is.</summary>
/// <param name="Path">The folder or file.</param>
/// <param name="Config">Its hyper-parameters.</param>
/// <param name="Preprocessing">How it wants its images.</param>
internal sealed record SamSource(string Path, SamConfig Config, ImagePreprocessing Preprocessing)
{
    private const string MetaPatches = "image_encoder.patch_embed.proj.weight";
    private const string MobilePatches = "image_encoder.patch_embed.seq.0.c.weight";

    /// <exception cref="FileNotFoundException">There is no such file or folder.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or no SAM.</exception>
    public static SamSource Open(string path)
    {
        using var checkpoint = Checkpoint.Open(path);
        if (Directory.Exists(path) && File.Exists(System.IO.Path.Combine(path, "config.json")))
        {
            var folder = HuggingFaceFolder.Open(path);
            var published = folder.Read(SamConfig.FromHuggingFace);
            return new(path, published, folder.Preprocessing ?? Usual(published));
        }
        var config = OfTensors(checkpoint);
        return new(path, config, Usual(config));
    }

    /// <summary>The network with the published weights.</summary>
    public SamNetwork Build()
    {
        var network = new SamNetwork(Config);
        try
        {
            using var file = Checkpoint.Open(Path);
            using var checkpoint = new TinyVitFoldedCheckpoint(file);
            CheckpointLoader.Load(network, checkpoint, Dialect.For(checkpoint, SamDialect.All(Config)));
            network.eval();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>As SAM's own code prepares images: the longest edge to the network's size, ImageNet's colors, and zeros right and below.</summary>
    public static ImagePreprocessing Usual(SamConfig config) => new()
    {
        Resize = new ImageResize.LongestEdge(config.ImageSize),
        Normalization = ImageNormalization.ImageNet,
        Pad = config.ImageSize,
    };

    private static SamConfig OfTensors(Checkpoint checkpoint)
    {
        if (checkpoint.Tensors.ContainsKey(MobilePatches))
            return SamPresets.Of(SamPreset.Mobile);
        if (!checkpoint.Tensors.TryGetValue(MetaPatches, out var patches))
            throw new CheckpointException($"{checkpoint.Path} is no SAM: it has neither '{MetaPatches}' (Meta's files) nor '{MobilePatches}' (MobileSAM's); a Hugging Face folder has a config.json.");
        return Enum.GetValues<SamPreset>().Select(SamPresets.Of).FirstOrDefault(preset => preset.Vision?.Width == patches.Shape[0])
            ?? throw new CheckpointException($"{checkpoint.Path} has an image encoder of width {patches.Shape[0]}; SAM's have {string.Join(", ", Enum.GetValues<SamPreset>().Select(SamPresets.Of).Select(preset => preset.Vision?.Width).OfType<int>())}.");
    }
}
