using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>Adds all segments that can be seen in each image.</summary>
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

    /// <summary>The segments of an image, as an object for each.</summary>
    /// <param name="image">The image.</param>
    /// <param name="progress">Is told after each batch of points how many are done; words for the segments come after the last.</param>
    /// <param name="cancellationToken">Stops between batches of points.</param>
    /// <exception cref="OperationCanceledException">The work was canceled.</exception>
    public IReadOnlyList<SamSegment> FindSegments(Data.MLImage image, IProgress<SamEverythingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Finder.Find(Imaging.ImageDecoder.FromMLImage(image), progress, cancellationToken);
    }

    /// <summary>The segments of an image in a file, as an object for each.</summary>
    /// <param name="path">The image's file.</param>
    /// <param name="progress">Is told after each batch of points how many are done; words for the segments come after the last.</param>
    /// <param name="cancellationToken">Stops between batches of points.</param>
    /// <exception cref="ImageDecodeException">The file cannot be read as an image.</exception>
    /// <exception cref="OperationCanceledException">The work was canceled.</exception>
    public IReadOnlyList<SamSegment> FindSegments(string path, IProgress<SamEverythingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Finder.Find(Imaging.ImageDecoder.Decode(path), progress, cancellationToken);
    }

    /// <summary>
    /// Segments all images of a folder, and makes data sets of them: "annotations.json" in COCO's form, and "labels" with "data.yaml" in
    /// YOLO's. Each image is written to the folder "masks" when it is done; started again, the work goes on after those.
    /// </summary>
    /// <remarks>
    /// The categories are the classifier's classes, see <see cref="SamEverythingOptions.Classifier"/>, or a single one. Ultralytics' tools look
    /// for the images in a folder "images" beside "labels": copy them there, or give that folder.
    /// </remarks>
    /// <param name="images">The folder of images, at whatever depth.</param>
    /// <param name="output">The folder for the data sets, which is made where it is not there.</param>
    /// <param name="options">Everything that can be chosen; null takes the defaults.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder of images.</exception>
    /// <exception cref="InvalidOperationException">There are no images, two would have the same label file, or the output was made with other settings.</exception>
    /// <exception cref="ImageDecodeException">An image cannot be read, and <see cref="SamLabelOptions.SkipInvalidImages"/> is not set.</exception>
    /// <exception cref="OperationCanceledException">The work was canceled; what is done stays done.</exception>
    public SamLabelResult LabelFolder(string images, string output, SamLabelOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(images);
        ArgumentException.ThrowIfNullOrEmpty(output);
        options ??= new();
        OptionChecks.RequireName(options.Category, nameof(options.Category));
        OptionChecks.RequireDefined(options.CocoSegmentation, nameof(options.CocoSegmentation));
        return new SamFolderLabeler(Finder, _settings.Generator, _classifier?.Labels, options).Label(images, output);
    }

    private SamFinder Finder
    {
        get
        {
            ObjectDisposedException.ThrowIf(Predictor.Model.IsDisposed, this);
            return new(Predictor, _settings.Generator, _classifier);
        }
    }

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
