using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Scores images with a classifier, a batch at a time.</summary>
internal sealed class ImageClassifierScorer : ImageScorer<ClassifierResult>
{
    private readonly ClassifierModel _model;
    private readonly bool _mirrorToo;
    private readonly OutputColumn<ClassifierResult>[] _outputs;
    private readonly OutputColumn<ClassifierResult>? _embedding, _attention;

    public ImageClassifierScorer(DataViewSchema schema, ClassifierModel model, ImageProcessor processor, LabelSet labels, ClassifierSettings settings, Device device)
        : base(schema, model, processor, settings.ImageColumn, settings.BatchSize, settings.Precision, settings.SkipInvalidImages, device)
    {
        (_model, _mirrorToo) = (model, settings.TestTimeAugmentation);
        var score = Vector(settings.ScoreColumn, [labels.Count], ClassifierAnnotations.OfScore(schema, labels), result => result.Score);
        var label = new OutputColumn<ClassifierResult, uint>(settings.PredictedLabelColumn, new KeyDataViewType(typeof(uint), labels.Count),
            ClassifierAnnotations.OfPredictedLabel(schema, labels),
            (ClassifierResult result, ref uint value) => value = result.Label);
        if (settings.EmbeddingColumn is { } embedding)
            _embedding = Vector(embedding, [model.EmbeddingSize], null, result => result.Embedding);
        if (settings.AttentionColumn is { } attention)
            _attention = Vector(attention, [model.AttentionSize.Height, model.AttentionSize.Width], null, result => result.Attention);
        _outputs = [.. new[] { score, label, _embedding, _attention }.OfType<OutputColumn<ClassifierResult>>()];
    }

    public override IReadOnlyList<OutputColumn<ClassifierResult>> Outputs => _outputs;

    private protected override IEnumerable<ClassifierResult> Score(Tensor pixels, IReadOnlyList<bool> wanted)
    {
        var output = _model.Forward(pixels, Wants(_embedding), Wants(_attention));
        var probabilities = Probabilities(output);
        if (_mirrorToo)
            probabilities = probabilities.Add(Probabilities(_model.Forward(pixels.flip(3)))).Div(2);
        var scores = probabilities.ToRows();
        var embeddings = output.Embedding?.ToRows();
        var attentions = output.Attention?.ToRows();
        return scores.Select((score, i) => new ClassifierResult(score, (uint)TensorPrimitives.IndexOfMax<float>(score) + 1, embeddings?[i], attentions?[i]));

        bool Wants(OutputColumn<ClassifierResult>? column) => column is not null && wanted[Array.IndexOf(_outputs, column)];
    }

    private Tensor Probabilities(ClassifierOutput output) => _model.Probabilities(output.Logits.to(ScalarType.Float32));   // [B, classes]
}
