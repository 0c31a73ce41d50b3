namespace Microsoft.ML.VisionModels;

/// <summary>Which of the masks that SAM has for each prompt are wanted.</summary>
public enum SamMaskChoice
{
    /// <summary>What suits the prompt, as in the paper: for one point alone the one of <see cref="Three"/> with the highest score, and else <see cref="Single"/>.</summary>
    Best,

    /// <summary>The one that SAM makes for clear prompts: several points, or a box. For one point it is a guess between part and whole.</summary>
    Single,

    /// <summary>Three masks, for prompts that may mean a whole, a part, or a part of a part.</summary>
    Three,
}
