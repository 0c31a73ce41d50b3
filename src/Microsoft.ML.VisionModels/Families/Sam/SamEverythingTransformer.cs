using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>Adds all segments that can be seen in each image.</summary>
public sealed class SamEverythingTransformer : SamTransformer
{
    /// <summary>The network becomes the transformer's, the classifier does not.</summary>
    internal SamEverythingTransformer(IHostEnvironment environment, FittedModel model) : base(environment, model)
    {
    }

    /// <summary>The segments of an image, as an object for each.</summary>
    /// <param name="image">The image.</param>
    /// <param name="progress">Is told after each batch of points how many are done; words for the segments come after the last.</param>
    /// <param name="cancellationToken">Stops between batches of points.</param>
    /// <exception cref="OperationCanceledException">The work was canceled.</exception>
    public IReadOnlyList<SamSegment> FindSegments(Data.MLImage image, IProgress<SamEverythingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var network = Model.Use();
        return Finder(network).Find(Imaging.ImageDecoder.FromMLImage(image), progress, cancellationToken);
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
        using var network = Model.Use();
        return Finder(network).Find(Imaging.ImageDecoder.Decode(path), progress, cancellationToken);
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
        using var network = Model.Use();
        return new SamFolderLabeler(Finder(network), Options, Classifier?.Labels, options).Label(images, output);
    }

    private SamEverythingOptions Options => (SamEverythingOptions)Model.Options;

    private ClassifierTransformer? Classifier => (ClassifierTransformer?)Model.Inner;

    private SamFinder Finder(NetworkUse network) => new(Predictor(network), Options, Classifier);

    internal override IBatchScorer Bind(DataViewSchema inputSchema, NetworkUse network, CancellationToken cancellation) => new Scorer(inputSchema, this, cancellation);

    /// <summary>Finds the segments of each row's image.</summary>
    private sealed class Scorer : BatchScorer<ImageItem, SamSegments?>
    {
        private readonly SamEverythingOptions _options;
        private readonly SamEverythingTransformer _sam;
        private readonly ImageColumn _images;

        public Scorer(DataViewSchema schema, SamEverythingTransformer sam, CancellationToken cancellation) : base(schema, sam.Model, cancellation)
        {
            var options = sam.Options;
            (_sam, _options) = (sam, options);
            _images = ImageColumn.Bind(schema, options.ImageColumnName);
            Outputs = [.. new OutputColumn<SamSegments?>?[]
            {
                options.SegmentsColumnName is { } segments ? ResultColumns.Text<SamSegments>(segments, found => found.ToJson(options.SegmentForm)) : null,
                options.SegmentCountColumnName is { } count ? ResultColumns.Number<SamSegments>(count, found => found.Segments.Count) : null,
                options.LabelImageColumnName is { } labels ? ResultColumns.Image<SamSegments>(labels, found => found.Labels()) : null,
                options.OverlayColumnName is { } overlay ? ResultColumns.Image<SamSegments>(overlay, found => found.Overlay()) : null,
            }.OfType<OutputColumn<SamSegments?>>()];
        }

        public override IReadOnlyList<DataViewSchema.Column> Inputs => [_images.Column];

        public override IReadOnlyList<OutputColumn<SamSegments?>> Outputs { get; }

        public override int BatchSize => _options.ScoringBatchSize;

        public override Func<ImageItem> MakeReader(DataViewRow row) => _images.MakeReader(row);

        public override long ImageBytes(ImageItem item) => item.Bytes;

        private protected override IReadOnlyList<SamSegments?> ScoreBatch(NetworkUse network, IReadOnlyList<ImageItem> items, IReadOnlyList<bool> wanted)
        {
            var finder = _sam.Finder(network);
            return [.. items.Select(item => item.Read(_options.SkipInvalidImages, image => new SamSegments(image, finder.Find(image, cancellation: Cancellation))))];
        }
    }
}
