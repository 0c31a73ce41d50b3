using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Tests.Contract;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Swin;

/// <summary>A featurizer needs a checkpoint: a tiny base model of four stages, written once for each image size.</summary>
internal sealed class SwinContractSetup : IContractSetup
{
    private static readonly TestFolders.TemporaryFolder s_folder = TestFolders.Temporary();
    private static readonly Lock s_lock = new();

    static SwinContractSetup() => AppDomain.CurrentDomain.ProcessExit += (_, _) => s_folder.Dispose();

    public Type Options => typeof(SwinFeaturesOptions);

    public void Prepare(OptionBag options, int imageSize)
    {
        var folder = s_folder.File($"swin-{imageSize}");
        lock (s_lock)
        {
            if (!Directory.Exists(folder))
                Write(Directory.CreateDirectory(folder).FullName, new SwinConfig { ImageSize = imageSize, PatchSize = imageSize / 8, WindowSize = 2, Width = 8, Depths = [2, 1, 1, 1], Heads = [1, 2, 2, 4], MlpRatio = 2 });
        }
        options.For<SwinFeaturesOptions>(features => features.Checkpoint = folder);
    }

    /// <summary>Writes a Hugging Face folder with random weights.</summary>
    public static void Write(string folder, SwinConfig config, IReadOnlyList<string>? labels = null)
    {
        using var generator = new torch.Generator(5);
        using var network = new SwinNetwork(config with { Classes = labels?.Count }).Drawn(generator);
        CheckpointLoader.Save(network, SwinDialect.HuggingFace(network.Config), Path.Combine(folder, "model.safetensors"));
        File.WriteAllText(Path.Combine(folder, "config.json"), network.Config.ToHuggingFace(labels).ToIndentedText());
    }
}
