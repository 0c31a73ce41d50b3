using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using static TorchSharp.torch;
using Shape = Microsoft.ML.SchemaShape.Column.VectorKind;
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
        using var use = Model.Use();
        using var inference = torch.inference_mode();
        using var scope = torch.NewDisposeScope();
        var network = use.As<IClassifierNetwork>();
        var pixels = Model.Processor!.ProcessBatch(images.Count, i => images[i]).to(use.Type, use.Device);
        var scores = ClassifierScorer.Probabilities(network, (IClassifierColumns)Model.Options, pixels, network.Classify(pixels)).ToRows();
        return Array.ConvertAll(scores, score => (Labels[TensorPrimitives.IndexOfMax<float>(score)], score.Max()));
    }

    internal sealed override IBatchScorer Bind(DataViewSchema inputSchema, NetworkUse network, CancellationToken cancellation) =>
        new ClassifierScorer(inputSchema, Model, network.As<IClassifierNetwork>(), cancellation);
}

/// <summary>
/// What a classifier says of one row. The label is the likeliest class, from 1, as in ML.NET's keys. Where the row's image
/// could not be read, all is null and the label 0.
/// </summary>
internal readonly record struct ClassifierResult(float[]? Score, uint Label, float[]? Embedding, float[]? Attention);

/// <summary>Scores images with a classifier, a batch at a time.</summary>
internal sealed class ClassifierScorer : ImageScorer<ClassifierResult>
{
    private readonly IClassifierColumns _columns;
    private readonly OutputColumn<ClassifierResult>[] _outputs;
    private readonly OutputColumn<ClassifierResult>? _embedding, _attention;

    public ClassifierScorer(DataViewSchema schema, FittedModel model, IClassifierNetwork network, CancellationToken cancellation) : base(schema, model, cancellation)
    {
        var (columns, labels) = ((IClassifierColumns)model.Options, model.Labels!);
        _columns = columns;
        var score = Vector(columns.ScoreColumnName, [labels.Count], ClassifierColumns.OfScore(schema, labels), result => result.Score);
        var label = new OutputColumn<ClassifierResult, uint>(columns.PredictedLabelColumnName, new KeyDataViewType(typeof(uint), labels.Count),
            ClassifierColumns.OfPredictedLabel(schema, labels),
            (ClassifierResult result, ref uint value) => value = result.Label);
        if (columns.EmbeddingColumnName is { } embedding)
            _embedding = Vector(embedding, [network.EmbeddingSize], null, result => result.Embedding);
        if (columns.AttentionColumnName is { } attention)
            _attention = Vector(attention, [network.AttentionSize.Height, network.AttentionSize.Width], null, result => result.Attention);
        _outputs = [.. new[] { score, label, _embedding, _attention }.OfType<OutputColumn<ClassifierResult>>()];
    }

    public override IReadOnlyList<OutputColumn<ClassifierResult>> Outputs => _outputs;

    private protected override IEnumerable<ClassifierResult> Score(NetworkUse use, Tensor pixels, IReadOnlyList<bool> wanted)
    {
        var network = use.As<IClassifierNetwork>();
        var output = network.Classify(pixels, Wants(_embedding), Wants(_attention));
        var scores = Probabilities(network, _columns, pixels, output).ToRows();
        var embeddings = output.Embedding?.ToRows();
        var attentions = output.Attention?.ToRows();
        return scores.Select((score, i) => new ClassifierResult(score, (uint)TensorPrimitives.IndexOfMax<float>(score) + 1, embeddings?[i], attentions?[i]));

        bool Wants(OutputColumn<ClassifierResult>? column) => column is not null && wanted[Array.IndexOf(_outputs, column)];
    }

    /// <summary>The score of each class, [B, classes], of an answer and, where that is asked for, of the answer to the mirror images.</summary>
    public static Tensor Probabilities(IClassifierNetwork network, IClassifierColumns columns, Tensor pixels, ClassifierOutput output)
    {
        var probabilities = Of(output);
        return columns.TestTimeAugmentation ? probabilities.Add(Of(network.Classify(pixels.flip(3)))).Div(2) : probabilities;

        Tensor Of(ClassifierOutput answer) => network.Probabilities(answer.Logits.to(ScalarType.Float32));
    }
}

/// <summary>The columns of a classifier, as its options name them.</summary>
internal interface IClassifierColumns
{
    string ScoreColumnName { get; }

    string PredictedLabelColumnName { get; }

    string? EmbeddingColumnName { get; }

    string? AttentionColumnName => null;

    /// <summary>Whether each image's mirror image is looked at too.</summary>
    bool TestTimeAugmentation => false;
}

/// <summary>
/// What a classifier's columns tell of themselves, as those of ML.NET's own multiclass trainers do: the classes, and the marks by
/// which evaluators find a score and its predicted label.
/// </summary>
internal static class ClassifierColumns
{
    private const string SlotNames = "SlotNames";
    private const string KeyValues = "KeyValues";
    private const string TrainingLabelValues = "TrainingLabelValues";
    private const string ScoreColumnKind = "ScoreColumnKind";
    private const string ScoreValueKind = "ScoreValueKind";
    private const string ScoreColumnSetId = "ScoreColumnSetId";

    public static IEnumerable<string?> Names(IClassifierColumns columns) =>
        [columns.ScoreColumnName, columns.PredictedLabelColumnName, columns.EmbeddingColumnName, columns.AttentionColumnName];

    /// <param name="columns">The columns' names.</param>
    /// <param name="labelType">The type of the labels' values.</param>
    public static IEnumerable<SchemaShape.Column> Promise(IClassifierColumns columns, DataViewType labelType) =>
    [
        MLNet.ShapeColumn(columns.ScoreColumnName, Shape.Vector, NumberDataViewType.Single, annotations: PromisedOfScore(labelType)),
        MLNet.ShapeColumn(columns.PredictedLabelColumnName, Shape.Scalar, NumberDataViewType.UInt32, isKey: true, annotations: PromisedOfPredictedLabel(labelType)),
        .. new[] { columns.EmbeddingColumnName, columns.AttentionColumnName }.OfType<string>().Select(Columns.VectorPromise),
    ];

    public static DataViewSchema.Annotations OfScore(DataViewSchema input, LabelSet labels)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        labels.AddNames(builder, SlotNames);
        labels.AddValues(builder, TrainingLabelValues);
        AddMarks(builder, input, "Score");
        return builder.ToAnnotations();
    }

    public static DataViewSchema.Annotations OfPredictedLabel(DataViewSchema input, LabelSet labels)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        labels.AddValues(builder, KeyValues);
        AddMarks(builder, input, "PredictedLabel");
        return builder.ToAnnotations();
    }

    private static SchemaShape.Column[] PromisedOfScore(DataViewType labelType) =>
        [MLNet.ShapeColumn(SlotNames, Shape.Vector, TextDataViewType.Instance), MLNet.ShapeColumn(TrainingLabelValues, Shape.Vector, labelType), .. PromisedMarks()];

    private static SchemaShape.Column[] PromisedOfPredictedLabel(DataViewType labelType) =>
        [MLNet.ShapeColumn(KeyValues, Shape.Vector, labelType), .. PromisedMarks()];

    private static void AddMarks(DataViewSchema.Annotations.Builder builder, DataViewSchema input, string valueKind)
    {
        AddText(ScoreColumnKind, "MulticlassClassification");
        AddText(ScoreValueKind, valueKind);
        var set = input.Max(SetOf) + 1;
        builder.Add(ScoreColumnSetId, new KeyDataViewType(typeof(uint), int.MaxValue), (ref uint value) => value = set);

        void AddText(string kind, string text) =>
            builder.Add(kind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = text.AsMemory());
    }

    private static SchemaShape.Column[] PromisedMarks() =>
    [
        MLNet.ShapeColumn(ScoreColumnKind, Shape.Scalar, TextDataViewType.Instance),
        MLNet.ShapeColumn(ScoreValueKind, Shape.Scalar, TextDataViewType.Instance),
        MLNet.ShapeColumn(ScoreColumnSetId, Shape.Scalar, NumberDataViewType.UInt32, isKey: true),
    ];

    /// <summary>The number that the columns of one scorer share, 0 where there is none: the next scorer takes the next.</summary>
    private static uint SetOf(DataViewSchema.Column column)
    {
        uint set = 0;
        if (column.Annotations.Schema.GetColumnOrNull(ScoreColumnSetId) is { Type: KeyDataViewType { RawType: var raw } } && raw == typeof(uint))
            column.Annotations.GetValue(ScoreColumnSetId, ref set);
        return set;
    }
}
