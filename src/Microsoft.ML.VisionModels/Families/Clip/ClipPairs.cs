using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Some pairs of a set of pictures and the tokens of their texts.</summary>
/// <param name="Pictures">The pictures.</param>
/// <param name="Tokens">Of each of the set's rows, padded to one length.</param>
/// <param name="Lengths">How many of these are the text's.</param>
/// <param name="Rows">The rows that are meant.</param>
internal sealed record ClipPairs(ImageSet Pictures, long[][] Tokens, int[] Lengths, int[] Rows);
