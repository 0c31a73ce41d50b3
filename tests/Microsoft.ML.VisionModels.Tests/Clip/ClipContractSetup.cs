using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Tests.Contract;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Clip;

/// <summary>CLIP's estimators need a checkpoint: a tiny network and its tokenizer, written once for each image size.</summary>
internal abstract class ClipContractSetup(Type options) : IContractSetup
{
    private static readonly TestFolders.TemporaryFolder s_folder = TestFolders.Temporary();
    private static readonly Lock s_lock = new();

    static ClipContractSetup() => AppDomain.CurrentDomain.ProcessExit += (_, _) => s_folder.Dispose();

    public Type Options => options;

    public virtual string Variant => "";

    public virtual bool Trains => true;

    public virtual void Prepare(OptionBag options, int imageSize)
    {
        var folder = s_folder.File($"clip-{imageSize}");
        lock (s_lock)
        {
            if (!Directory.Exists(folder))
                Write(Directory.CreateDirectory(folder).FullName, imageSize);
        }
        options.For<ScoringOptions>(clip => clip.Checkpoint = folder);
    }

    /// <summary>Writes a folder as Hugging Face publishes CLIP, with random weights.</summary>
    public static void Write(string folder, int imageSize)
    {
        var tokenizer = ClipTokenizer.Learn(["a photo of a red square.", "a photo of a green square.", "a photo of a blue square."], 520);
        var config = ClipConfig.Of(
            new ViTConfig { ImageSize = imageSize, PatchSize = imageSize / 2, Width = 16, Depth = 1, Heads = 2, MlpWidth = 16 },
            new ClipTextConfig { VocabularySize = tokenizer.VocabularySize, Positions = 24, Width = 16, Depth = 1, Heads = 2, MlpWidth = 16 },
            embeddingSize: 8);
        using var generator = new torch.Generator(5);
        using var network = new ClipNetwork(config).Drawn(generator);
        CheckpointLoader.Save(network, ClipDialect.HuggingFace, Path.Combine(folder, "model.safetensors"));
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToHuggingFace().ToIndentedText());
        tokenizer.SaveFolder(folder, config.Text.Positions);
    }

    internal sealed class ZeroShot() : ClipContractSetup(typeof(ClipZeroShotOptions));

    internal sealed class ImageEmbedding() : ClipContractSetup(typeof(ClipImageEmbeddingOptions));

    internal sealed class TextEmbedding() : ClipContractSetup(typeof(ClipTextEmbeddingOptions));

    internal abstract class FewShot(ClipFewShotMethod method) : ClipContractSetup(typeof(ClipFewShotOptions))
    {
        public override string Variant => method.ToString();

        public override bool Trains => method != ClipFewShotMethod.TipAdapter;

        public override void Prepare(OptionBag options, int imageSize)
        {
            base.Prepare(options, imageSize);
            options.For<ClipFewShotOptions>(fewShot => (fewShot.Method, fewShot.ContextTokens) = (method, 4));
        }
    }

    internal sealed class LinearProbe() : FewShot(ClipFewShotMethod.LinearProbe);

    internal sealed class TipAdapter() : FewShot(ClipFewShotMethod.TipAdapter);

    internal sealed class CoOp() : FewShot(ClipFewShotMethod.CoOp);

    internal sealed class Trainer() : ClipContractSetup(typeof(ClipTrainerOptions))
    {
        public override void Prepare(OptionBag options, int imageSize) => options.For<ClipTrainerOptions>(trainer => trainer.VocabularySize = 520);
    }
}
