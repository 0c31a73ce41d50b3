namespace Microsoft.ML.VisionModels;

/// <summary>What of a CLIP learns.</summary>
public enum ClipTrainedTowers
{
    /// <summary>Both towers.</summary>
    Both,

    /// <summary>The vision tower alone: new images for the words of a checkpoint.</summary>
    Vision,

    /// <summary>The text tower alone: new words for the images of a checkpoint (locked-image tuning, <see href="https://arxiv.org/abs/2111.07991"/>).</summary>
    Text,
}
