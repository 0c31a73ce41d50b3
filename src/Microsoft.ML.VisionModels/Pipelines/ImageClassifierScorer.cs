using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Scores pictures with a classifier, a batch at a time.</summary>
internal sealed class ImageClassifierScorer : BatchScorer<ImageItem, ClassifierResult>
{
    private readonly ClassifierModel _model;
    private readonly ImageProcessor _processor;
    private readonly ClassifierSettings _settings;
    private readonly Device _device;
    private readonly ImageColumn _images;
    private readonly OutputColumn<ClassifierResult>[] _outputs;
    private readonly OutputColumn<ClassifierResult>? _embedding, _attention;

    public ImageClassifierScorer(DataViewSchema schema, ClassifierModel model, ImageProcessor processor, LabelSet labels, ClassifierSettings settings, Device device)
        : base(schema)
    {
        (_model, _processor, _settings, _device) = (model, processor, settings, device);
        _images = ImageColumn.Bind(schema, settings.ImageColumn);
        var score = Vector(settings.ScoreColumn, [labels.Count], ClassifierAnnotations.OfScore(schema, labels), result => result.Score);
        var label = new OutputColumn<ClassifierResult, uint>(settings.PredictedLabelColumn, new KeyDataViewType(typeof(uint), labels.Count),
            ClassifierAnnotations.OfPredictedLabel(schema, labels),
            (ClassifierResult result, ref uint value) => value = result.Label);
        if (settings.EmbeddingColumn is { } embedding)
            _embedding = Vector(embedding, [model.EmbeddingSize], null, result => result.Embedding);
        if (settings.AttentionColumn is { } attention && model.AttentionSize is { } size)
            _attention = Vector(attention, [size.Height, size.Width], null, result => result.Attention);
        _outputs = [.. new[] { score, label, _embedding, _attention }.OfType<OutputColumn<ClassifierResult>>()];
    }

    public override IReadOnlyList<DataViewSchema.Column> Inputs => [_images.Column];

    public override IReadOnlyList<OutputColumn<ClassifierResult>> Outputs => _outputs;

    public override int BatchSize => _settings.BatchSize;

    public override Func<ImageItem> MakeReader(DataViewRow row) => _images.MakeReader(row);

    public override IReadOnlyList<ClassifierResult> Score(IReadOnlyList<ImageItem> items, IReadOnlyList<bool> wanted)
    {
        // A view may be read after its transformer was disposed of.
        ObjectDisposedException.ThrowIf(_model.IsDisposed, typeof(ImageClassifierTransformer));
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var invalid = new bool[items.Count];
        var pixels = _processor.ProcessBatch(items.Count, Picture)          // [B, 3, H, W]
            .to(_settings.Precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32, _device);
        var output = _model.Forward(pixels, Wants(_embedding), Wants(_attention));
        var probabilities = Probabilities(output);
        if (_settings.TestTimeAugmentation)
            probabilities = (probabilities + Probabilities(_model.Forward(pixels.flip(3)))) / 2;
        var scores = PerRow(probabilities);
        var embeddings = output.Embedding is { } e ? PerRow(e) : null;
        var attentions = output.Attention is { } a ? PerRow(a) : null;
        return [.. scores.Select((score, i) => invalid[i] ? default
            : new ClassifierResult(score, (uint)TensorPrimitives.IndexOfMax<float>(score) + 1, embeddings?[i], attentions?[i]))];

        bool Wants(OutputColumn<ClassifierResult>? column) => column is not null && wanted[Array.IndexOf(_outputs, column)];

        // A picture that cannot be read goes through the network as a black one, and its result is dropped.
        RgbImage Picture(int i)
        {
            if (items[i].Decode(_settings.SkipInvalidImages) is { } picture)
                return picture;
            invalid[i] = true;
            return new RgbImage(1, 1);
        }
    }

    private static Tensor Probabilities(ClassifierOutput output) => output.Logits.to(ScalarType.Float32).softmax(1);   // [B, classes]

    private static float[][] PerRow(Tensor batch)                           // [B, ...] to B arrays
    {
        var values = batch.flatten(1).to(ScalarType.Float32, CPU).contiguous().data<float>().ToArray();
        return [.. values.Chunk(values.Length / (int)batch.shape[0])];
    }

    private static OutputColumn<ClassifierResult, VBuffer<float>> Vector(
        string name, int[] dimensions, DataViewSchema.Annotations? annotations, Func<ClassifierResult, float[]?> values)
    {
        var type = new VectorDataViewType(NumberDataViewType.Single, dimensions);
        return new(name, type, annotations, (ClassifierResult result, ref VBuffer<float> value) =>
        {
            var editor = VBufferEditor.Create(ref value, type.Size);
            if (values(result) is { } present)
                present.CopyTo(editor.Values);
            else
                editor.Values.Fill(float.NaN);
            value = editor.Commit();
        });
    }
}
