using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>Cuts a normalized text into the pieces of a vocabulary.</summary>
internal interface ISegmenter
{
    /// <summary>The pieces in order, with their lengths in the text; characters that the vocabulary does not know have the unknown piece's id.</summary>
    List<(int Id, int Length)> Segment(string text);
}
