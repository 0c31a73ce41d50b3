using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>What a U-Net is told of texts.</summary>
/// <param name="Words">The vectors of their tokens, [N, T, D].</param>
/// <param name="Text">For an SDXL the vector of each as a whole, [N, E].</param>
internal sealed record PromptVectors(Tensor Words, Tensor? Text)
{
    /// <summary>Those of several, one after the other.</summary>
    public static PromptVectors Join(IReadOnlyList<PromptVectors> parts) =>
        new(cat([.. parts.Select(part => part.Words)]), parts[0].Text is null ? null : cat([.. parts.Select(part => part.Text!)]));

    /// <summary>With zeros in the place of some.</summary>
    /// <param name="some">Which, [N], boolean.</param>
    public PromptVectors WithZeros(Tensor some)
    {
        var kept = some.logical_not().to(Words.dtype);
        return new(Words * kept.view(-1, 1, 1), Text is null ? null : Text * kept.view(-1, 1));
    }

    /// <summary>These, beyond the scope that they were made in.</summary>
    public PromptVectors Detach() => new(Words.DetachFromDisposeScope(), Text?.DetachFromDisposeScope());
}

/// <summary>The vectors of the texts that one model read last: rows often share a prompt, and nearly all what they do not want. Several threads may ask at once.</summary>
internal sealed class PromptCache
{
    /// <summary>How many are kept; those of Stable Diffusion take 0.2 MB each.</summary>
    internal const int Most = 16;

    private readonly Lock _lock = new();

    // What was asked for last stands last.
    private readonly List<(string Text, int Skip, PromptVectors Vectors)> _kept = [];

    /// <summary>The vectors of a text, which stay this one's: of those that go the garbage collector disposes, since another thread may still use them.</summary>
    /// <param name="text">The text.</param>
    /// <param name="skip">The last layers that are passed over.</param>
    /// <param name="read">Reads it where it is not kept.</param>
    public PromptVectors Of(string text, int skip, Func<PromptVectors> read)
    {
        lock (_lock)
        {
            var index = _kept.FindIndex(one => one.Text == text && one.Skip == skip);
            var found = index >= 0 ? _kept[index] : (Text: text, Skip: skip, Vectors: read().Detach());
            if (index >= 0)
                _kept.RemoveAt(index);
            else if (_kept.Count == Most)
                _kept.RemoveAt(0);
            _kept.Add(found);
            return found.Vectors;
        }
    }
}
