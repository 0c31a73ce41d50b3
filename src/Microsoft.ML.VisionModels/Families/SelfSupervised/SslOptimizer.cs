namespace Microsoft.ML.VisionModels;

/// <summary>How <c>mlContext.Transforms.SslFeaturizer</c> changes the weights.</summary>
public enum SslOptimizer
{
    /// <summary>AdamW (arXiv 1711.05101), for any network and batch.</summary>
    AdamW,

    /// <summary>Stochastic gradient descent with a momentum of 0.9.</summary>
    Sgd,

    /// <summary>LARS (arXiv 1708.03888), for batches of a thousand and more: each layer's step goes by the size of its weights.</summary>
    Lars,
}
