using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Reading and writing, as Hugging Face publishes SigLIP.</summary>
internal sealed partial class SigLipTokenizer
{
    private const string ModelFile = "spiece.model";
    private const string ConfigFile = "tokenizer_config.json";
    private const string PublishedClass = "SiglipTokenizer";

    private const string ModelEntry = "Tokenizer.SentencePiece.model";
    private const string LowerCaseEntry = "Tokenizer.LowerCase.txt";

    /// <param name="path">A folder with <c>spiece.model</c>, or that file; <c>tokenizer_config.json</c> beside it is read where it is there.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or is not SigLIP's.</exception>
    public static SigLipTokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = Directory.Exists(path) ? Path.Combine(path, ModelFile) : path;
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var settings = Path.Combine(folder, ConfigFile);
        var config = ModelFolder.ReadFile(settings);
        // SigLIP 2 has another tokenizer under the same model type.
        if (config?.Get("tokenizer_class", PublishedClass) is { } name && name is not (PublishedClass or PublishedClass + "Fast"))
            throw new CheckpointException($"{settings} names the tokenizer {name}; of SigLIP's, {PublishedClass} is supported.");
        if (!Path.Exists(file))
            throw new FileNotFoundException($"There is no file {file}: SigLIP's texts are read from {ModelFile}, and not from tokenizer.json.", file);
        return new(InputFile.ReadBytes(file, Limits.VocabularyBytes), config?.Get("do_lower_case", true) ?? true, file);
    }

    /// <summary>Writes the files that Hugging Face's <c>SiglipTokenizer</c> reads.</summary>
    /// <inheritdoc cref="ITextTokenizer.SaveFolder"/>
    public void SaveFolder(string folder, int maxLength)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.Write(Path.Combine(folder, ModelFile), stream => stream.Write(_file));
        AtomicFile.WriteText(Path.Combine(folder, "special_tokens_map.json"), SpecialTokens().ToIndentedText());
        var config = SpecialTokens();
        config["do_lower_case"] = _lowerCase;
        config["model_input_names"] = new JsonArray("input_ids");
        config["model_max_length"] = maxLength;
        config["tokenizer_class"] = PublishedClass;
        AtomicFile.WriteText(Path.Combine(folder, ConfigFile), config.ToIndentedText());
    }

    /// <summary>The tokenizer of a model file; null where that holds another.</summary>
    /// <exception cref="FormatException">The model file is damaged.</exception>
    /// <exception cref="CheckpointException">The vocabulary is damaged.</exception>
    public static SigLipTokenizer? TryLoad(ModelArchiveReader archive)
    {
        if (archive.TryReadBytes(ModelEntry, Limits.VocabularyBytes) is not { } file)
            return null;
        return bool.TryParse(archive.ReadText(LowerCaseEntry), out var lowerCase)
            ? new(file, lowerCase, "The tokenizer")
            : throw new FormatException("The model file is damaged: it does not say whether texts become lower case.");
    }

    public void Save(ModelArchiveWriter archive)
    {
        archive.WriteBytes(ModelEntry, stream => stream.Write(_file));
        archive.WriteText(LowerCaseEntry, _lowerCase.ToString());
    }

    private static JsonObject SpecialTokens() => new()
    {
        ["eos_token"] = EndPiece,
        ["pad_token"] = EndPiece,
        ["unk_token"] = UnknownPiece,
    };
}
