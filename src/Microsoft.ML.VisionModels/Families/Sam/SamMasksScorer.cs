using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>Answers each row's prompts about its image.</summary>
internal sealed class SamMasksScorer : BatchScorer<(ImageItem Image, SamPromptNumbers Prompts), SamMasksResult?>
{
    private readonly SamPredictor _predictor;
    private readonly SamMasksSettings _settings;
    private readonly ImageColumn _images;
    private readonly SamPromptReader _prompts;

    public SamMasksScorer(DataViewSchema schema, SamPredictor predictor, SamMasksSettings settings) : base(schema)
    {
        (_predictor, _settings) = (predictor, settings);
        (_images, _prompts) = (ImageColumn.Bind(schema, settings.ImageColumn), new(schema, settings));
        Outputs = [.. Columns().OfType<OutputColumn<SamMasksResult?>>()];

        IEnumerable<OutputColumn<SamMasksResult?>?> Columns() =>
        [
            settings.MaskColumn is { } mask ? SamColumns.Image<SamMasksResult>(mask, result => result.Draw()) : null,
            settings.ScoresColumn is { } scores ? SamColumns.Numbers<SamMasksResult>(scores, result => result.Masks.Select(mask => mask.Score)) : null,
            settings.RunLengthsColumn is { } runs ? SamColumns.Texts<SamMasksResult>(runs, result => result.Masks.Select(mask => mask.Mask.ToCocoJson())) : null,
            settings.AreasColumn is { } areas ? SamColumns.Numbers<SamMasksResult>(areas, result => result.Masks.Select(mask => (float)mask.Mask.Area)) : null,
            settings.BoxesOutputColumn is { } boxes ? SamColumns.Numbers<SamMasksResult>(boxes, result => result.Masks.Select(mask => mask.Mask.Box).SelectMany(box => new float[] { box.Left, box.Top, box.Right, box.Bottom })) : null,
            settings.LogitsColumn is { } logits ? SamColumns.Numbers<SamMasksResult>(logits, result => result.Masks.SelectMany(mask => mask.Logits)) : null,
        ];
    }

    public override IReadOnlyList<DataViewSchema.Column> Inputs => [.. _prompts.Inputs.Prepend(_images.Column).DistinctBy(column => column.Index)];

    public override IReadOnlyList<OutputColumn<SamMasksResult?>> Outputs { get; }

    public override int BatchSize => _settings.BatchSize;

    public override Func<(ImageItem Image, SamPromptNumbers Prompts)> MakeReader(DataViewRow row)
    {
        var (image, prompts) = (_images.MakeReader(row), _prompts.MakeReader(row));
        return () => (image(), prompts());
    }

    public override IReadOnlyList<SamMasksResult?> Score(IReadOnlyList<(ImageItem Image, SamPromptNumbers Prompts)> items, IReadOnlyList<bool> wanted) =>
        [.. items.Select(item => item.Image.Decode(_settings.SkipInvalidImages) is { } image ? Answer(image, item.Prompts) : null)];

    private SamMasksResult Answer(Imaging.RgbImage image, SamPromptNumbers numbers)
    {
        var size = new ImageSize(image.Height, image.Width);
        var prompts = numbers.For(size, _settings);     // before the work
        foreach (var prompt in prompts)
            numbers.Named(() => prompt.Validate(size, _predictor.Config.MaskSize));
        return new(size, [.. _predictor.Predict(_predictor.Encode(image), prompts, _settings.Masks).SelectMany(masks => masks)]);
    }
}
