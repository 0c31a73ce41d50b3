using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>Classifies images with words: loads CLIP, and makes a class of each label. Made by <c>mlContext.Transforms.ClipZeroShot</c>.</summary>
public sealed class ClipZeroShotEstimator : IEstimator<ClipClassifierTransformer>
{
    private readonly ClipZeroShotOptions _options;
    private readonly IHost _host;

    internal ClipZeroShotEstimator(IHostEnvironment environment, ClipZeroShotOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _host = environment.Register(nameof(ClipZeroShotEstimator));
        _options = options.Copy();
    }

    private ClassifierSettings Settings => new(
        _options.ImageColumnName, _options.ScoreColumnName, _options.PredictedLabelColumnName, _options.EmbeddingColumnName, AttentionColumn: null,
        _options.ScoringBatchSize, _options.Precision, _options.SkipInvalidImages, TestTimeAugmentation: false);

    /// <summary>Loads the network and computes the labels' vectors. Images are not looked at.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type, or the labels are none, twice the same, or nothing to the vocabulary.</exception>
    /// <exception cref="FileNotFoundException">The checkpoint, its tokenizer or the file of labels is not there.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or does not fit the network.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public ClipClassifierTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        ImageColumn.Bind(input.Schema, _options.ImageColumnName);
        _options.CancellationToken.ThrowIfCancellationRequested();
        var labels = Labels(input);
        var device = Devices.Resolve(_host, _options.Device);   // the first to touch libtorch: it tells best what is missing

        var source = ClipSource.Open(_options.Checkpoint!);
        var tokenizer = source.OpenTokenizer(_options.Tokenizer);
        var preprocessing = source.PreprocessingOr(_options.Preprocessing);
        using var scope = NewDisposeScope();
        var network = source.Build();
        network.to(device);
        using var text = network.Text;      // its work is done here
        try
        {
            var classes = ClipTexts.EmbedClasses(text, tokenizer, ClipTemplates.Words(labels.Names, _options.LabelWords), _options.Templates, device, _host, _options.CancellationToken);
            return new(_host, new ClassifierParts(network.Classifier(classes), preprocessing, labels, Settings, device, null));
        }
        catch
        {
            network.Vision.Dispose();
            throw;
        }
    }

    /// <summary>The input's columns and, after them, the classifier's.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, _options.ImageColumnName);
        return Settings.Promise(inputSchema, _options.LabelColumnName is { } column ? LabelColumn.Check(inputSchema, column) : TextDataViewType.Instance);
    }

    private LabelSet Labels(IDataView input)
    {
        var labels = _options.LabelColumnName is { } name ? FromColumn(LabelColumn.Bind(input.Schema, name)) : LabelSet.OfText(Written());
        ClipZeroShotOptions.RequireLabels(labels.Names);
        return labels;

        LabelSet FromColumn(LabelColumn column)
        {
            using var cursor = input.GetRowCursor([column.Column]);
            var read = column.MakeReader(cursor);
            var found = new HashSet<string>();
            while (cursor.MoveNext())
            {
                _options.CancellationToken.ThrowIfCancellationRequested();
                if (read() is { } label)
                    found.Add(label);
            }
            return column.Collect(found);
        }
    }

    private string[] Written()
    {
        if (_options.Labels is { } labels)
            return [.. labels];
        if (!File.Exists(_options.LabelsFile))
            throw new FileNotFoundException($"There is no file of labels '{_options.LabelsFile}'.", _options.LabelsFile);
        string[] lines = [.. File.ReadLines(_options.LabelsFile).Select(line => line.Trim()).Where(line => line.Length > 0)];
        return lines.Length > 0 ? lines : throw new ArgumentException($"The file of labels '{_options.LabelsFile}' has no lines with text.");
    }
}
