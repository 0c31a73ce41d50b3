using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>A loaded Segment Anything Model in a pipeline.</summary>
public abstract class SamTransformer : ImageTransformer
{
    private protected SamTransformer(IHostEnvironment environment, FittedModel model) : base(environment, model)
    {
    }

    private protected SamPredictor Predictor(NetworkUse network) => new(network, Model.Processor!);
}
