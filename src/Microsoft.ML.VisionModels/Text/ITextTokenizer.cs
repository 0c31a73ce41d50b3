using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>Makes rows of tokens from texts, for a text tower. It may be used from several threads at once.</summary>
internal interface ITextTokenizer
{
    int VocabularySize { get; }

    /// <summary>The token after a text.</summary>
    int EndToken { get; }

    /// <summary>Fills a row with the tokens of a text: of one that is too long the first, and the end token.</summary>
    /// <returns>How many tokens are the text's, with those at its start and end; the rest is padding.</returns>
    int Encode(string text, Span<long> ids);

    /// <summary>Whether a text has anything that the vocabulary knows.</summary>
    bool Knows(string text);

    /// <summary>Writes the files that Hugging Face's tokenizer of this kind reads.</summary>
    /// <param name="folder">Made where it is missing.</param>
    /// <param name="maxLength">How many tokens the network takes.</param>
    void SaveFolder(string folder, int maxLength);

    void Save(ModelArchiveWriter archive);

    /// <summary>Says that a text has more tokens than the network takes.</summary>
    static void SayCut(string text, int length) => Notices.Say(
        $"The text '{(text.Length > 60 ? text[..60] + "..." : text)}' has more than the {length} tokens that the network takes and is cut off, as others will be.", kind: nameof(SayCut));
}
