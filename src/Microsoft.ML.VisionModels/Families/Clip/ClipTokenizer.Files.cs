using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Reading and writing, as Hugging Face and OpenAI publish tokenizers.</summary>
internal sealed partial class ClipTokenizer
{
    private const string TokenizerFile = "tokenizer.json";
    private const string VocabularyFile = "vocab.json";
    private const string MergesFile = "merges.txt";
    private const string ConfigFile = "tokenizer_config.json";
    private const string OpenAIFile = "bpe_simple_vocab_16e6.txt.gz";

    /// <summary>More than OpenAI's file unpacks to; a file that was made to fill the memory unpacks to far more.</summary>
    private const int LongestOpenAIText = 1 << 22;

    private const string VocabularyEntry = "Tokenizer.Vocabulary.json";
    private const string MergesEntry = "Tokenizer.Merges.txt";
    /// <summary>An entry of <see cref="ConfigFile"/> of our own, where texts are not cleaned as usual; other libraries pass over it.</summary>
    private const string CleaningKey = "text_cleaning";

    private const string CleaningEntry = "Tokenizer.Cleaning.txt";

    /// <param name="path">
    /// A folder, or <c>tokenizer.json</c>, or <c>vocab.json</c> or <c>merges.txt</c> beside the other, or OpenAI's <c>bpe_simple_vocab_16e6.txt.gz</c>.
    /// </param>
    /// <param name="cleaning">By default that of whoever publishes such files, or what <see cref="SaveFolder"/> has noted.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or is not CLIP's.</exception>
    public static ClipTokenizer Load(string path, ClipTextCleaning? cleaning = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = Directory.Exists(path) ? FindIn(path) : path;
        var byOpenAI = file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        var vocabulary = byOpenAI ? ClipVocabularyReader.FromOpenAI(Unpack(file), file)
            : Path.GetFileName(file) is VocabularyFile or MergesFile ? FromPair(Path.GetDirectoryName(Path.GetFullPath(file))!)
            : ClipVocabularyReader.FromTokenizer(ReadText(file), file);
        return new(vocabulary, cleaning ?? (byOpenAI ? ClipTextCleaning.OpenAI : NotedCleaning(Path.GetDirectoryName(Path.GetFullPath(file))!)));
    }

    /// <summary>A tokenizer from the contents of <c>vocab.json</c> and <c>merges.txt</c>.</summary>
    /// <exception cref="CheckpointException">The texts are something else.</exception>
    public static ClipTokenizer FromTexts(string vocabulary, string merges, ClipTextCleaning cleaning) =>
        new(ClipVocabularyReader.FromTexts(vocabulary, merges, "The tokenizer"), cleaning);

    /// <summary>The contents of <c>vocab.json</c> and <c>merges.txt</c>.</summary>
    public (string Vocabulary, string Merges) ToTexts() => _vocabulary.ToTexts();

    /// <summary>Writes the files that Hugging Face's <c>CLIPTokenizer</c> reads.</summary>
    /// <inheritdoc cref="ITextTokenizer.SaveFolder"/>
    public void SaveFolder(string folder, int maxLength = 77)
    {
        Directory.CreateDirectory(folder);
        var (vocabulary, merges) = ToTexts();
        Write(VocabularyFile, vocabulary);
        Write(MergesFile, merges);
        Write("special_tokens_map.json", SpecialTokens().ToIndentedText());

        var config = SpecialTokens();
        config["add_prefix_space"] = false;
        config["do_lower_case"] = true;
        config["errors"] = "replace";
        config["model_max_length"] = maxLength;
        config["tokenizer_class"] = "CLIPTokenizer";
        if (Cleaning != ClipTextCleaning.HuggingFace)
            config[CleaningKey] = Cleaning.ToString();
        Write(ConfigFile, config.ToIndentedText());

        void Write(string name, string text) => AtomicFile.WriteText(Path.Combine(folder, name), text);
    }

    /// <exception cref="FormatException">The model file is damaged.</exception>
    /// <exception cref="CheckpointException">The vocabulary is damaged.</exception>
    public static ClipTokenizer Load(ModelArchiveReader archive) => Enum.TryParse<ClipTextCleaning>(archive.ReadText(CleaningEntry), out var cleaning)
        ? FromTexts(archive.ReadText(VocabularyEntry, Limits.VocabularyBytes), archive.ReadText(MergesEntry, Limits.VocabularyBytes), cleaning)
        : throw new FormatException("The model file is damaged: it does not say how texts are cleaned.");

    public void Save(ModelArchiveWriter archive)
    {
        var (vocabulary, merges) = ToTexts();
        archive.WriteText(VocabularyEntry, vocabulary);
        archive.WriteText(MergesEntry, merges);
        archive.WriteText(CleaningEntry, Cleaning.ToString());
    }

    private static JsonObject SpecialTokens() => new()
    {
        ["bos_token"] = ClipVocabulary.StartToken,
        ["eos_token"] = ClipVocabulary.EndToken,
        ["unk_token"] = ClipVocabulary.EndToken,
        ["pad_token"] = ClipVocabulary.EndToken,
    };

    private static ClipTextCleaning NotedCleaning(string folder)
    {
        var fallback = ClipTextCleaning.HuggingFace;
        var noted = ModelFolder.ReadFile(Path.Combine(folder, ConfigFile))?.Get(CleaningKey, fallback.ToString()) ?? fallback.ToString();
        return Enum.TryParse<ClipTextCleaning>(noted, out var cleaning) && Enum.IsDefined(cleaning)
            ? cleaning
            : throw new CheckpointException($"{ConfigFile} in {folder} has the {CleaningKey} '{noted}'; known are {string.Join(", ", Enum.GetNames<ClipTextCleaning>())}.");
    }

    private static string FindIn(string folder) =>
        new[] { TokenizerFile, VocabularyFile, MergesFile, OpenAIFile }.Select(name => Path.Combine(folder, name)).FirstOrDefault(Path.Exists)
        ?? throw new FileNotFoundException($"The folder {folder} has no tokenizer: neither {TokenizerFile}, nor {VocabularyFile} with {MergesFile}, nor {OpenAIFile}.", folder);

    private static ClipVocabulary FromPair(string folder)
    {
        var vocabulary = ReadText(Path.Combine(folder, VocabularyFile));
        var merges = ReadText(Path.Combine(folder, MergesFile));
        return ClipVocabularyReader.FromTexts(vocabulary, merges, $"{VocabularyFile} with {MergesFile} in {folder}");
    }

    private static string ReadText(string file) => InputFile.ReadText(Existing(file), Limits.VocabularyBytes);

    private static string Existing(string file) => Path.Exists(file) ? file : throw new FileNotFoundException($"There is no file {file}, which the tokenizer needs.", file);

    private static string Unpack(string file)
    {
        var packed = InputFile.ReadBytes(Existing(file), Limits.VocabularyBytes);
        var text = new byte[LongestOpenAIText];
        try
        {
            using var stream = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
            var length = stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            if (length == text.Length)
                throw new CheckpointException($"{file} unpacks to more than a vocabulary.");
            // GZipStream takes a file that ends early for a short one; a whole one ends with its length.
            if (packed.Length < sizeof(int) || BinaryPrimitives.ReadInt32LittleEndian(packed.AsSpan(^sizeof(int)..)) != length)
                throw new CheckpointException($"{file} is cut short.");
            return Utf8Text.Decode(text.AsSpan(0, length), file);
        }
        catch (InvalidDataException e)
        {
            throw new CheckpointException($"{file} is not a gzip file: {e.Message}", e);
        }
    }
}
