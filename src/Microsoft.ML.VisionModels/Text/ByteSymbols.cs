using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>The printable characters that stand for bytes in byte-level vocabularies, of which GPT-2's was the first.</summary>
internal static class ByteSymbols
{
    /// <summary>The bytes in the order in which their symbols open a vocabulary: first those that stand for themselves.</summary>
    private static readonly int[] Order = [.. Enumerable.Range(0, 256).OrderBy(value => StandsForItself(value) ? 0 : 1)];

    /// <summary>By byte.</summary>
    public static IReadOnlyList<char> All { get; } = Assign();

    public static IEnumerable<char> InVocabularyOrder => Order.Select(value => All[value]);

    private static char[] Assign()
    {
        var symbols = new char[256];
        var next = (char)256;
        foreach (var value in Order)
            symbols[value] = StandsForItself(value) ? (char)value : next++;
        return symbols;
    }

    private static bool StandsForItself(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
}
