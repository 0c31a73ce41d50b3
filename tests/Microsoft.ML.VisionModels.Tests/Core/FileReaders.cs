using System.Text;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Sweeps.Spaces;
using Microsoft.ML.VisionModels.Sweeps.Studies;
using Microsoft.ML.VisionModels.Tests.Text;

namespace Microsoft.ML.VisionModels.Tests.Core;

/// <summary>A file that the package reads: its name, how a folder with a sound one is made, and how it is read there.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="Write">Writes a folder that can be read.</param>
/// <param name="Read">Reads it.</param>
/// <param name="Error">What is thrown where the file cannot be read.</param>
internal sealed record FileReader(string Name, Action<string> Write, Action<string> Read, Type Error)
{
    private static readonly Type s_checkpoint = typeof(CheckpointException), s_data = typeof(InvalidDataException);

    public static IReadOnlyList<FileReader> All { get; } =
    [
        new("model.safetensors", WriteViT, FitViT, s_checkpoint),
        new("config.json", WriteViT, FitViT, s_checkpoint),
        new("preprocessor_config.json", WriteViT, FitViT, s_checkpoint),
        new("pytorch_model.bin", folder => Copy(folder, "pytorch_model.bin", "Checkpoints", "zip.pt"), folder => Checkpoint.Open(folder).Dispose(), s_checkpoint),
        new("model.safetensors.index.json", WriteShards, folder => Checkpoint.Open(folder).Dispose(), s_checkpoint),
        new("vocab.json", WriteTokenizer, folder => ClipTokenizer.Load(folder), s_checkpoint),
        new("merges.txt", WriteTokenizer, folder => ClipTokenizer.Load(folder), s_checkpoint),
        new("tokenizer_config.json", WriteTokenizer, folder => ClipTokenizer.Load(folder), s_checkpoint),
        new("tokenizer.json", WriteWholeTokenizer, folder => ClipTokenizer.Load(folder), s_checkpoint),
        new("bpe_simple_vocab_16e6.txt.gz", WritePackedTokenizer, folder => ClipTokenizer.Load(folder), s_checkpoint),
        new("spiece.model", folder => Copy(folder, "spiece.model", "SentencePiece", "siglip.model"), folder => SigLipTokenizer.Load(folder), s_checkpoint),
        new("labels.txt", folder => File.WriteAllText(Path.Combine(folder, "labels.txt"), "red\ngreen\n"), FitLabels, s_checkpoint),
        new("index.safetensors", WriteIndex, folder => EmbeddingIndex.Load(Path.Combine(folder, "index.safetensors")), s_checkpoint),
        new("a.jpg.masks.json", WriteAnnotations, folder => new AnnotationStore(folder).Read("a.jpg"), s_data),
        new("study.db", WriteStudy, folder => SweepStudy.Read(Path.Combine(folder, "study.db")), s_data),
    ];

    public static TheoryData<string> Names => [.. All.Select(reader => reader.Name)];

    /// <summary>Those of JSON.</summary>
    public static TheoryData<string> JsonNames => [.. All.Select(reader => reader.Name).Where(name => name.EndsWith(".json", StringComparison.Ordinal))];

    /// <summary>Those of text, JSON among them.</summary>
    public static TheoryData<string> TextNames => [.. All.Select(reader => reader.Name).Where(name => name.EndsWith(".json", StringComparison.Ordinal) || name.EndsWith(".txt", StringComparison.Ordinal))];

    public static FileReader Of(string name) => All.Single(reader => reader.Name == name);

    /// <summary>A new folder with sound files.</summary>
    public TestFolders.TemporaryFolder Sound()
    {
        var folder = TestFolders.Temporary();
        Write(folder.Path);
        return folder;
    }

    private static void Copy(string folder, string name, params string[] from) => File.Copy(Path.Combine([AppContext.BaseDirectory, .. from]), Path.Combine(folder, name));

    private static void WriteViT(string folder)
    {
        foreach (var name in new[] { "config.json", "preprocessor_config.json", "model.safetensors" })
            File.Copy(Path.Combine(TestFolders.OwnGolden, "vit-classifier", name), Path.Combine(folder, name));
    }

    private static void FitViT(string folder)
    {
        var context = new MLContext();
        context.Transforms.PretrainedViTClassifier(folder).Fit(Images(context)).Dispose();
    }

    private static void FitLabels(string folder)
    {
        var context = new MLContext();
        if (!File.Exists(Path.Combine(folder, "config.json")))
            Clip.ClipContractSetup.Write(folder, imageSize: 16);
        context.Transforms.ClipZeroShot(new ClipZeroShotOptions { Checkpoint = folder, LabelsFile = Path.Combine(folder, "labels.txt") }).Fit(Images(context)).Dispose();
    }

    private static IDataView Images(MLContext context) => context.Data.LoadImageFolder(Path.Combine(AppContext.BaseDirectory, "Models", "images"));

    private static void WriteShards(string folder)
    {
        Copy(folder, "one.safetensors", "Golden", "vit-classifier", "model.safetensors");
        using var shard = Checkpoint.Open(Path.Combine(folder, "one.safetensors"));
        var map = string.Join(',', shard.Tensors.Keys.Select(name => $"\"{name}\":\"one.safetensors\""));
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), $"{{\"weight_map\":{{{map}}}}}");
    }

    private static void WriteTokenizer(string folder) => TinyVocabulary.Tokenizer().SaveFolder(folder);

    private static void WriteWholeTokenizer(string folder)
    {
        var (vocabulary, merges) = TinyVocabulary.Tokenizer().ToTexts();
        var list = string.Join(',', Lines(merges).Select(line => $"\"{line}\""));
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"),
            $"{{\"model\":{{\"type\":\"BPE\",\"end_of_word_suffix\":\"</w>\",\"continuing_subword_prefix\":\"\",\"vocab\":{vocabulary},\"merges\":[{list}]}}}}");
    }

    private static void WritePackedTokenizer(string folder)
    {
        using var file = new System.IO.Compression.GZipStream(File.Create(Path.Combine(folder, "bpe_simple_vocab_16e6.txt.gz")), System.IO.Compression.CompressionMode.Compress);
        file.Write(Encoding.UTF8.GetBytes("#version: 0.2\n" + string.Join('\n', Lines(TinyVocabulary.Tokenizer().ToTexts().Merges))));
    }

    private static IEnumerable<string> Lines(string merges) => merges.Split('\n').Skip(1).Where(line => line.Length > 0);

    private static void WriteIndex(string folder)
    {
        var index = new EmbeddingIndex(2);
        index.Add("a", [1, 2]);
        index.Save(Path.Combine(folder, "index.safetensors"));
    }

    private static void WriteAnnotations(string folder) =>
        new AnnotationStore(folder).Write(new("a.jpg", 2, 3, [new(RunLengthMask.FromCounts(2, 3, [1, 2, 3]))]));

    private static void WriteStudy(string folder)
    {
        var space = new Space([new("only", [new NumberDimension("x", 0, 1, 0.25)])]);
        using var store = StudyStore.Open(Path.Combine(folder, "study.db"), "sweep", space, "Score", higherIsBetter: true);
        var trial = store.Claim("me", 1, _ => space.Branches[0].Initial).Trial!;
        store.Report(trial, new(1, 0.5, 2));
        store.Finish(trial, SweepTrialState.Complete, 0.5);
    }
}
