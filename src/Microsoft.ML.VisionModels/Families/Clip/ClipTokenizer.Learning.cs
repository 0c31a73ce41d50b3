using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Families.Clip;

internal sealed partial class ClipTokenizer
{
    /// <summary>A vocabulary made for texts, for a network that is trained from scratch.</summary>
    /// <param name="texts">They count as often as they occur.</param>
    /// <param name="vocabularySize">How many tokens there may be, 514 at least; fewer, once no pair of tokens occurs twice.</param>
    /// <param name="cleaning">How texts are cleaned, now and later.</param>
    public static ClipTokenizer Learn(IEnumerable<string> texts, int vocabularySize, ClipTextCleaning cleaning = ClipTextCleaning.HuggingFace)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, ClipVocabulary.SmallestSize);

        var learner = new BytePairLearner(ClipVocabulary.WordEnd);
        foreach (var text in texts)
        {
            ArgumentNullException.ThrowIfNull(text, nameof(texts));
            foreach (var word in ClipWords.Split(text, cleaning))
            {
                if (!ClipVocabulary.SpecialTokens.Contains(word.ToString()))
                    learner.Add(word.ToString());
            }
        }
        var merges = learner.Learn(vocabularySize - ClipVocabulary.SmallestSize);
        return new(ClipVocabulary.FromMerges(merges, "The vocabulary that was learned"), cleaning);
    }
}
