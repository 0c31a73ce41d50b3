using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Some pairs of a set of images and the tokens of their texts.</summary>
/// <param name="Images">The images.</param>
/// <param name="Tokens">Of each of the set's rows, padded to one length.</param>
/// <param name="Lengths">How many of these are the text's.</param>
/// <param name="Rows">The rows that are meant.</param>
internal sealed record ClipPairs(ImageSet Images, long[][] Tokens, int[] Lengths, int[] Rows);
