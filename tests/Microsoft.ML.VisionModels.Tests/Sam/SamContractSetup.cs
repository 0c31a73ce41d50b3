using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Tests.Contract;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Sam;

/// <summary>SAM's estimators need a checkpoint: a tiny network, written once for each image size.</summary>
internal abstract class SamContractSetup(Type options) : IContractSetup
{
    private static readonly TestFolders.TemporaryFolder s_folder = TestFolders.Temporary();
    private static readonly Lock s_lock = new();

    static SamContractSetup() => AppDomain.CurrentDomain.ProcessExit += (_, _) => s_folder.Dispose();

    public Type Options => options;

    public virtual void Prepare(OptionBag options, int imageSize)
    {
        var folder = s_folder.File($"sam-{imageSize}");
        lock (s_lock)
        {
            if (!Directory.Exists(folder))
                Write(Directory.CreateDirectory(folder).FullName, imageSize);
        }
        options.For<SamOptions>(sam => sam.Checkpoint = folder);
    }

    /// <summary>Writes a folder as Hugging Face publishes SAM, with random weights.</summary>
    public static void Write(string folder, int imageSize)
    {
        using var generator = new torch.Generator(5);
        using var network = new SamNetwork(Tiny(imageSize)).Initialize(generator);
        CheckpointLoader.Save(network, SamDialect.Published(network.Config), Path.Combine(folder, "model.safetensors"));
        File.WriteAllText(Path.Combine(folder, "config.json"), network.Config.ToHuggingFace().ToIndentedText());
    }

    public static SamConfig Tiny(int imageSize) => new()
    {
        Vision = new() { ImageSize = imageSize, PatchSize = imageSize / 4, Width = 16, Depth = 2, Heads = 2, MlpWidth = 16, Window = 3, GlobalBlocks = [1], OutputWidth = 16 },
        ImageSize = imageSize, Grid = 4, Width = 16, MaskPromptChannels = 8, Heads = 2, MlpWidth = 16, IouHeadWidth = 16, NormEps = 1e-6,
    };

    internal sealed class Masks() : SamContractSetup(typeof(SamMasksOptions))
    {
        public override void Prepare(OptionBag options, int imageSize)
        {
            base.Prepare(options, imageSize);
            options.For<SamMasksOptions>(masks =>
            {
                masks.PointsColumnName = masks.PointLabelsColumnName = masks.BoxesColumnName = masks.RoughMaskColumnName = null;    // there are no such columns
                (masks.Points, masks.PointsPerPrompt, masks.RelativeCoordinates) = ([0.25f, 0.25f, 0.75f, 0.5f], 1, true);
            });
        }
    }

    internal sealed class Everything() : SamContractSetup(typeof(SamEverythingOptions))
    {
        public override void Prepare(OptionBag options, int imageSize)
        {
            base.Prepare(options, imageSize);
            // Random masks are neither good nor stable: all are kept.
            options.For<SamEverythingOptions>(everything => (everything.PointsPerSide, everything.PredictedIouThreshold, everything.StabilityThreshold) = (2, 0, 0));
        }
    }
}
