using System.Text;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>Prepares a text as SentencePiece does before it cuts it: characters, white space, and the mark of spaces.</summary>
internal sealed class SentencePieceNormalizer
{
    /// <summary>Stands for a space.</summary>
    public const char SpaceMark = '\u2581';

    private readonly SentencePieceModel _model;
    private readonly PrefixTrie _userDefined;
    private readonly CharacterMap? _characters;
    private readonly char _space;

    public SentencePieceNormalizer(SentencePieceModel model, PrefixTrie userDefined, string source)
    {
        (_model, _userDefined) = (model, userDefined);
        _characters = model.CharacterMap.Length > 0 ? new(model.CharacterMap, source) : null;
        _space = model.EscapeSpaces ? SpaceMark : ' ';
    }

    /// <param name="text">The text, without lone surrogates.</param>
    public string Normalize(string text)
    {
        var start = 0;
        if (_model.RemoveExtraSpaces)
        {
            while (start < text.Length && Next(text.AsSpan(start), out var length) == " ")
                start += length;
        }
        if (start == text.Length)
            return "";

        var result = new StringBuilder(text.Length + 1);
        if (_model.DummyPrefix && !_model.SpaceAsSuffix)
            result.Append(_space);
        var afterSpace = _model.RemoveExtraSpaces;
        while (start < text.Length)
        {
            var next = Next(text.AsSpan(start), out var length);
            start += length;
            if (afterSpace)
                next = next.TrimStart(' ');
            if (next.Length == 0)
                continue;
            afterSpace = _model.RemoveExtraSpaces && next[^1] == ' ';
            result.Append(next).Replace(' ', _space, result.Length - next.Length, next.Length);
        }
        if (_model.RemoveExtraSpaces)
        {
            while (result.Length > 0 && result[^1] == _space)
                result.Length--;
        }
        if (_model.DummyPrefix && _model.SpaceAsSuffix)
            result.Append(_space);
        return result.ToString();
    }

    /// <summary>What the start of a text becomes: a piece of the user's as it is, else what the longest known characters become.</summary>
    private string Next(ReadOnlySpan<char> text, out int length)
    {
        (length, _) = _userDefined.Longest(text);
        if (length == 0 && _characters?.Longest(text, out length) is { } normalized)
            return normalized;
        if (length == 0)
            length = char.IsHighSurrogate(text[0]) ? 2 : 1;
        return text[..length].ToString();
    }
}
