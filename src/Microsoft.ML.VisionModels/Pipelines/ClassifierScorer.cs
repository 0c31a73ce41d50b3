using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>
/// What a classifier says of one row. The label is the likeliest class, from 1, as in ML.NET's keys. Where the row's image
/// could not be read, all is null and the label 0.
/// </summary>
internal readonly record struct ClassifierResult(float[]? Score, uint Label, float[]? Embedding, float[]? Attention);

/// <summary>Scores images with a classifier, a batch at a time.</summary>
internal sealed class ClassifierScorer : ImageScorer<ClassifierResult>
{
    private readonly IClassifierNetwork _network;
    private readonly bool _mirrorToo;
    private readonly OutputColumn<ClassifierResult>[] _outputs;
    private readonly OutputColumn<ClassifierResult>? _embedding, _attention;

    public ClassifierScorer(DataViewSchema schema, FittedModel model, CancellationToken cancellation) : base(schema, model, cancellation)
    {
        var (columns, labels) = ((IClassifierColumns)model.Options, model.Labels!);
        (_network, _mirrorToo) = (model.NetworkAs<IClassifierNetwork>(), columns.TestTimeAugmentation);
        var score = Vector(columns.ScoreColumnName, [labels.Count], ClassifierColumns.OfScore(schema, labels), result => result.Score);
        var label = new OutputColumn<ClassifierResult, uint>(columns.PredictedLabelColumnName, new KeyDataViewType(typeof(uint), labels.Count),
            ClassifierColumns.OfPredictedLabel(schema, labels),
            (ClassifierResult result, ref uint value) => value = result.Label);
        if (columns.EmbeddingColumnName is { } embedding)
            _embedding = Vector(embedding, [_network.EmbeddingSize], null, result => result.Embedding);
        if (columns.AttentionColumnName is { } attention)
            _attention = Vector(attention, [_network.AttentionSize.Height, _network.AttentionSize.Width], null, result => result.Attention);
        _outputs = [.. new[] { score, label, _embedding, _attention }.OfType<OutputColumn<ClassifierResult>>()];
    }

    public override IReadOnlyList<OutputColumn<ClassifierResult>> Outputs => _outputs;

    private protected override IEnumerable<ClassifierResult> Score(Tensor pixels, IReadOnlyList<bool> wanted)
    {
        var output = _network.Classify(pixels, Wants(_embedding), Wants(_attention));
        var probabilities = Probabilities(output);
        if (_mirrorToo)
            probabilities = probabilities.Add(Probabilities(_network.Classify(pixels.flip(3)))).Div(2);
        var scores = probabilities.ToRows();
        var embeddings = output.Embedding?.ToRows();
        var attentions = output.Attention?.ToRows();
        return scores.Select((score, i) => new ClassifierResult(score, (uint)TensorPrimitives.IndexOfMax<float>(score) + 1, embeddings?[i], attentions?[i]));

        bool Wants(OutputColumn<ClassifierResult>? column) => column is not null && wanted[Array.IndexOf(_outputs, column)];
    }

    private Tensor Probabilities(ClassifierOutput output) => _network.Probabilities(output.Logits.to(ScalarType.Float32));   // [B, classes]
}
