using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>Finds the segments of each row's image.</summary>
internal sealed class SamEverythingScorer : BatchScorer<ImageItem, SamSegments?>
{
    private readonly SamEverythingSettings _settings;
    private readonly SamFinder _finder;
    private readonly ImageColumn _images;

    public SamEverythingScorer(DataViewSchema schema, SamFinder finder, SamEverythingSettings settings) : base(schema)
    {
        (_finder, _settings) = (finder, settings);
        _images = ImageColumn.Bind(schema, settings.ImageColumn);
        Outputs = [.. new OutputColumn<SamSegments?>?[]
        {
            settings.SegmentsColumn is { } segments ? SamColumns.Text<SamSegments>(segments, found => found.ToJson(settings.Form)) : null,
            settings.CountColumn is { } count ? SamColumns.Number<SamSegments>(count, found => found.Segments.Count) : null,
            settings.LabelImageColumn is { } labels ? SamColumns.Image<SamSegments>(labels, found => found.Labels()) : null,
            settings.OverlayColumn is { } overlay ? SamColumns.Image<SamSegments>(overlay, found => found.Overlay()) : null,
        }.OfType<OutputColumn<SamSegments?>>()];
    }

    public override IReadOnlyList<DataViewSchema.Column> Inputs => [_images.Column];

    public override IReadOnlyList<OutputColumn<SamSegments?>> Outputs { get; }

    public override int BatchSize => _settings.BatchSize;

    public override Func<ImageItem> MakeReader(DataViewRow row) => _images.MakeReader(row);

    public override IReadOnlyList<SamSegments?> Score(IReadOnlyList<ImageItem> items, IReadOnlyList<bool> wanted) =>
        [.. items.Select(item => item.Decode(_settings.SkipInvalidImages) is { } image ? new SamSegments(image, _finder.Find(image)) : null)];
}
