using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.VisionModels;

/// <summary>Tells classes of images apart: adds the classes' probabilities, the likeliest class, and on request the embedding and a map of where the answer comes from.</summary>
public class ClassifierTransformer : ImageTransformer
{
    internal ClassifierTransformer(IHostEnvironment environment, FittedModel model) : base(environment, model)
    {
        if (model.Labels is null)
            throw new FormatException("The model file is damaged: it does not say what the classes are.");
    }

    /// <summary>The classes, in the order of the score's slots.</summary>
    public IReadOnlyList<string> Labels => Model.Labels!.Names;

    /// <summary>The likeliest class of each image, and its score.</summary>
    /// <param name="images">At least one.</param>
    internal (string Label, float Score)[] Classify(IReadOnlyList<RgbImage> images)
    {
        Model.Network.ThrowIfDisposed(this);
        using var inference = torch.inference_mode();
        using var scope = torch.NewDisposeScope();
        var network = Model.NetworkAs<IClassifierNetwork>();
        var pixels = Model.Processor!.ProcessBatch(images.Count, i => images[i]).to(Model.Network.Type, Model.Network.Device);
        var scores = network.Probabilities(network.Classify(pixels).Logits.to(torch.ScalarType.Float32)).ToRows();
        return Array.ConvertAll(scores, score => (Labels[TensorPrimitives.IndexOfMax<float>(score)], score.Max()));
    }

    internal sealed override IBatchScorer Bind(DataViewSchema inputSchema, CancellationToken cancellation) => new ClassifierScorer(inputSchema, Model, cancellation);
}
