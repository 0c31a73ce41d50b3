namespace Microsoft.ML.VisionModels;

/// <summary>How CLIP learns classes from a few images.</summary>
public enum ClipFewShotMethod
{
    /// <summary>
    /// Tip-Adapter (<see href="https://arxiv.org/abs/2111.03930"/>): the images are remembered, and speak for their class beside
    /// its words. Nothing is trained.
    /// </summary>
    TipAdapter,

    /// <summary>Logistic regression on the images' vectors (<see href="https://arxiv.org/abs/2103.00020"/>, 3.2). The classes' names play no part.</summary>
    LinearProbe,

    /// <summary>CoOp (<see href="https://arxiv.org/abs/2109.01134"/>): the words before a class's name are learned as vectors. Not with SigLIP.</summary>
    CoOp,
}
