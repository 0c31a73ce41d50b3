namespace Microsoft.ML.VisionModels;

/// <summary>What of a network learns.</summary>
public enum TrainedParts
{
    /// <summary>Nothing: the checkpoint's own head gives the classes, and no labels are read.</summary>
    None,

    /// <summary>The classification head alone; the checkpoint's features stay as they are.</summary>
    Head,

    /// <summary>The head and the last blocks, as many as <see cref="ImageClassifierOptions.LastBlocks"/> says.</summary>
    LastBlocks,

    /// <summary>Everything.</summary>
    All,
}
