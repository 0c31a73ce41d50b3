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
    /// <param name="paddings">For each text tower that reads the prompts the number of the token that fills a row.</param>
    public PromptTokenizer(ClipTokenizer tokenizer, int length, params int[] paddings) => (Tokenizer, Length, Paddings) = (tokenizer, length, paddings);

    public ClipTokenizer Tokenizer { get; }

    /// <summary>Tokens of a row.</summary>
    public int Length { get; }

    /// <summary>The tokens that fill rows.</summary>
    public IReadOnlyList<int> Paddings { get; }

    /// <summary>The tokenizer of a folder, with the padding and the length that its files name.</summary>
    /// <param name="folder">With <c>vocab.json</c> and <c>merges.txt</c>, or <c>tokenizer.json</c>.</param>
    /// <param name="network">The text tower that will read the tokens.</param>
    /// <param name="fill">The token that fills rows, where it is known; null for the one that the files name.</param>
    /// <exception cref="CheckpointException">A file is damaged, or not this network's.</exception>
    public static PromptTokenizer Load(string folder, ClipTextConfig network, int? fill = null)
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
        return new(tokenizer, length, fill ?? (padding is null ? tokenizer.EndToken
            : tokenizer.IdOf(padding) ?? throw new CheckpointException($"The tokenizer of {folder} pads with '{padding}', which is not in its vocabulary.")));

        JsonElement Read(string file) => ModelFolder.ReadFile(Path.Combine(folder, file)) ?? JsonConfig.Empty;

        static string? Token(JsonElement file) => file.Optional("pad_token") switch
        {
            null => null,
            { ValueKind: JsonValueKind.Object } entry => entry.Get("content", ""),
            _ => file.Get("pad_token", ""),
        };
    }

    /// <summary>The tokens of prompts, int64 on the CPU: [B, <see cref="Length"/>], and where several text towers read them a row for each, one behind the other.</summary>
    public Tensor Encode(params IReadOnlyList<string> prompts)
    {
        var ids = new long[prompts.Count * Paddings.Count * Length];
        for (var i = 0; i < prompts.Count; i++)
        {
            var rows = ids.AsSpan(i * Paddings.Count * Length, Paddings.Count * Length);
            var own = Tokenizer.Encode(prompts[i], rows[..Length]);
            for (var tower = Paddings.Count - 1; tower >= 0; tower--)
            {
                var row = rows.Slice(tower * Length, Length);
                rows[..own].CopyTo(row);
                row[own..].Fill(Paddings[tower]);
            }
        }
        return tensor(ids, [prompts.Count, Paddings.Count * Length]);
    }
}
