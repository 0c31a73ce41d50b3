using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Sam;

namespace Microsoft.ML.VisionModels;

/// <summary>Adds all segments that can be seen in each picture.</summary>
public sealed class SamEverythingTransformer : SamTransformer
{
    private const string Classifier = "Classifier";

    private readonly SamEverythingSettings _settings;
    private readonly ClassifierTransformer? _classifier;
    private readonly bool _ownsClassifier;

    /// <summary>The network becomes the transformer's, the classifier does not.</summary>
    internal SamEverythingTransformer(IHostEnvironment environment, SamPredictor predictor, SamEverythingSettings settings, ClassifierTransformer? classifier)
        : base(environment, nameof(SamEverythingTransformer), predictor) => (_settings, _classifier) = (settings, classifier);

    // Found by its signature when a model is loaded.
    internal SamEverythingTransformer(IHostEnvironment environment, ModelArchiveReader archive) : this(environment, archive, archive.ReadSettings<SamEverythingSettings>())
    {
    }

    private SamEverythingTransformer(IHostEnvironment environment, ModelArchiveReader archive, SamEverythingSettings settings)
        : base(environment, nameof(SamEverythingTransformer), archive, settings.Precision)
    {
        _settings = settings;
        if (settings.HasClassifier)
            (_classifier, _ownsClassifier) = (archive.ReadModel<ClassifierTransformer>(environment, Classifier), true);
    }

    /// <summary>The segments of a picture, as an object for each.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="cancellationToken">Stops between batches of points.</param>
    public IReadOnlyList<SamSegment> FindSegments(Data.MLImage image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Finder.Find(Imaging.ImageDecoder.FromMLImage(image), cancellationToken);
    }

    /// <summary>The segments of a picture in a file, as an object for each.</summary>
    /// <param name="path">The picture's file.</param>
    /// <param name="cancellationToken">Stops between batches of points.</param>
    /// <exception cref="ImageDecodeException">The file cannot be read as a picture.</exception>
    public IReadOnlyList<SamSegment> FindSegments(string path, CancellationToken cancellationToken = default) =>
        Finder.Find(Imaging.ImageDecoder.Decode(path), cancellationToken);

    private SamFinder Finder => new(Predictor, _settings.Generator, _classifier);

    internal override IBatchScorer Bind(DataViewSchema inputSchema) => new SamEverythingScorer(inputSchema, Finder, _settings);

    internal override void Save(ModelArchiveWriter archive)
    {
        archive.WriteSettings(_settings);
        SaveNetwork(archive);
        if (_classifier is not null)
            archive.WriteModel(Classifier, _classifier);
    }

    private protected override void DisposeModel()
    {
        base.DisposeModel();
        if (_ownsClassifier)
            _classifier!.Dispose();
    }
}
