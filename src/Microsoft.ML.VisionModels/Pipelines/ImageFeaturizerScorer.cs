using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Scores images with a featurizer, a batch at a time. A row's result has one array for each output; null where nobody wants it.</summary>
internal sealed class ImageFeaturizerScorer : ImageScorer<float[]?[]?>
{
    private readonly FeaturizerModel _model;
    private readonly ImageFeature[] _features;      // of each output

    public ImageFeaturizerScorer(DataViewSchema schema, FeaturizerModel model, ImageProcessor processor, FeaturizerSettings settings, Device device)
        : base(schema, model, processor, settings.ImageColumn, settings.BatchSize, settings.Precision, settings.SkipInvalidImages, device)
    {
        _model = model;
        _features = [.. model.Features.Where(feature => settings.Columns.ContainsKey(feature.Name))];
        Outputs = [.. _features.Select((feature, i) => Vector(settings.Columns[feature.Name], feature.Shape, null, result => result?[i]))];
    }

    public override IReadOnlyList<OutputColumn<float[]?[]?>> Outputs { get; }

    private protected override IEnumerable<float[]?[]?> Score(Tensor pixels, IReadOnlyList<bool> wanted)
    {
        var output = _model.Forward(pixels, _features.Where((_, i) => wanted[i]).Select(feature => feature.Name).ToHashSet());
        var perOutput = Array.ConvertAll(_features, feature => output.TryGetValue(feature.Name, out var tensor) ? tensor.ToRows() : null);
        return Enumerable.Range(0, (int)pixels.shape[0]).Select(row => Array.ConvertAll(perOutput, rows => rows?[row]));
    }
}
