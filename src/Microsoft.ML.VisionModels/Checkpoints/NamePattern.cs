using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>A pattern of tensor names: <c>*</c> stands for one segment between dots, <c>**</c> for one or more.</summary>
internal sealed class NamePattern
{
    private readonly string[] _literals;
    private readonly Regex _regex;

    public NamePattern(string pattern)
    {
        Text = pattern;
        _literals = Regex.Split(pattern, @"\*{1,2}");
        var regex = Regex.Escape(pattern).Replace(@"\*\*", "(.+)", StringComparison.Ordinal).Replace(@"\*", "([^.]+)", StringComparison.Ordinal);
        _regex = new Regex($@"\A{regex}\z", RegexOptions.CultureInvariant);
    }

    public string Text { get; }

    public int WildcardCount => _literals.Length - 1;

    public bool IsMatch(string name) => _regex.IsMatch(name);

    /// <summary>What the wildcards stand for in a name; null where the name does not match.</summary>
    public string[]? Match(string name)
    {
        var match = _regex.Match(name);
        return match.Success ? [.. match.Groups.Values.Skip(1).Select(group => group.Value)] : null;
    }

    /// <summary>The name with these words in the wildcards' places.</summary>
    public string Fill(string[] wildcards)
    {
        var name = new StringBuilder(_literals[0]);
        for (var i = 0; i < wildcards.Length; i++)
            name.Append(wildcards[i]).Append(_literals[i + 1]);
        return name.ToString();
    }
}
