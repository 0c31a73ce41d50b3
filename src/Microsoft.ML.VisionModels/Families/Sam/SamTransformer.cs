using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>A loaded Segment Anything Model in a pipeline.</summary>
public abstract class SamTransformer : ImageTransformer
{
    private protected SamTransformer(IHostEnvironment environment, FittedModel model) : base(environment, model) =>
        Predictor = new(model.Network, model.Processor!);

    internal SamPredictor Predictor { get; }
}
