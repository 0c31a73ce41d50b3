using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>
/// Makes tokens of prompts as Stable Diffusion was trained with them: rows of one length, padded with the tokenizer's own token, which the
/// text tower reads as any other. A prompt that is too long is cut, and ends with the end token.
/// </summary>
internal sealed class PromptTokenizer
{
    /// <param name="tokenizer">CLIP's tokenizer.</param>
    /// <param name="length">Tokens of a row.</param>
    /// <param name="padding">The number of the token that fills a row; null for the end token.</param>
    public PromptTokenizer(ClipTokenizer tokenizer, int length, int? padding = null) => (Tokenizer, Length, Padding) = (tokenizer, length, padding ?? tokenizer.EndToken);

    public ClipTokenizer Tokenizer { get; }

    /// <summary>Tokens of a row.</summary>
    public int Length { get; }

    /// <summary>The token that fills a row.</summary>
    public int Padding { get; }

    /// <summary>The tokenizer of a folder, with the padding and the length that its files name.</summary>
    /// <param name="folder">With <c>vocab.json</c> and <c>merges.txt</c>, or <c>tokenizer.json</c>.</param>
    /// <param name="network">The text tower that will read the tokens.</param>
    /// <exception cref="CheckpointException">A file is damaged, or not this network's.</exception>
    public static PromptTokenizer Load(string folder, ClipTextConfig network)
    {
        var tokenizer = ClipTokenizer.Load(folder);
        if (tokenizer.VocabularySize > network.VocabularySize)
            throw new CheckpointException($"The tokenizer of {folder} knows {tokenizer.VocabularySize} tokens, but the text tower {network.VocabularySize}.");
        var (config, special) = (Read("tokenizer_config.json"), Read("special_tokens_map.json"));
        var padding = Token(special) ?? Token(config);
        // A tokenizer without a limit of its own has a huge number there.
        var length = config.Optional("model_max_length") is { ValueKind: JsonValueKind.Number } most && most.GetDouble() < network.Positions
            ? most.Integer("model_max_length")
            : network.Positions;
        if (length < 2)
            throw new CheckpointException($"The tokenizer of {folder} makes rows of {length} tokens ('model_max_length'), which hold no prompt.");
        return new(tokenizer, length, padding is null ? null
            : tokenizer.IdOf(padding) ?? throw new CheckpointException($"The tokenizer of {folder} pads with '{padding}', which is not in its vocabulary."));

        JsonElement Read(string file) => ModelFolder.ReadFile(Path.Combine(folder, file)) ?? JsonConfig.Empty;

        static string? Token(JsonElement file) => file.Optional("pad_token") switch
        {
            null => null,
            { ValueKind: JsonValueKind.Object } entry => entry.Get("content", ""),
            _ => file.Get("pad_token", ""),
        };
    }

    /// <summary>The tokens of prompts, [B, <see cref="Length"/>] int64 on the CPU.</summary>
    public Tensor Encode(params IReadOnlyList<string> prompts)
    {
        var ids = new long[prompts.Count * Length];
        for (var i = 0; i < prompts.Count; i++)
        {
            var row = ids.AsSpan(i * Length, Length);
            row[Tokenizer.Encode(prompts[i], row)..].Fill(Padding);
        }
        return tensor(ids, [prompts.Count, Length]);
    }
}
