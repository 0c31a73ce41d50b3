using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>Adds masks of what each row's points, boxes or rough mask mean.</summary>
public sealed class SamMasksTransformer : SamTransformer
{
    internal SamMasksTransformer(IHostEnvironment environment, FittedModel model) : base(environment, model)
    {
    }

    internal override IBatchScorer Bind(DataViewSchema inputSchema, NetworkUse network, CancellationToken cancellation) => new Scorer(inputSchema, this, cancellation);

    /// <summary>Answers each row's prompts about its image.</summary>
    private sealed class Scorer : BatchScorer<(ImageItem Image, SamPromptNumbers Prompts), SamMasksResult?>
    {
        private readonly SamMasksTransformer _sam;
        private readonly SamMasksOptions _options;
        private readonly ImageColumn _images;
        private readonly SamPromptReader _prompts;

        public Scorer(DataViewSchema schema, SamMasksTransformer sam, CancellationToken cancellation) : base(schema, sam.Model, cancellation)
        {
            var options = (SamMasksOptions)sam.Model.Options;
            (_sam, _options) = (sam, options);
            (_images, _prompts) = (ImageColumn.Bind(schema, options.ImageColumnName), new(schema, options));
            Outputs = [.. Columns().OfType<OutputColumn<SamMasksResult?>>()];

            IEnumerable<OutputColumn<SamMasksResult?>?> Columns() =>
            [
                options.MaskColumnName is { } mask ? ResultColumns.Image<SamMasksResult>(mask, result => result.Draw()) : null,
                options.MaskScoresColumnName is { } scores ? ResultColumns.Numbers<SamMasksResult>(scores, result => result.Masks.Select(mask => mask.Score)) : null,
                options.MaskRunLengthsColumnName is { } runs ? ResultColumns.Texts<SamMasksResult>(runs, result => result.Masks.Select(mask => mask.Mask.ToCocoJson())) : null,
                options.MaskAreasColumnName is { } areas ? ResultColumns.Numbers<SamMasksResult>(areas, result => result.Masks.Select(mask => (float)mask.Mask.Area)) : null,
                options.MaskBoxesColumnName is { } boxes ? ResultColumns.Numbers<SamMasksResult>(boxes, result => result.Masks.Select(mask => mask.Mask.Box).SelectMany(box => new float[] { box.Left, box.Top, box.Right, box.Bottom })) : null,
                options.MaskLogitsColumnName is { } logits ? ResultColumns.Numbers<SamMasksResult>(logits, result => result.Masks.SelectMany(mask => mask.Logits)) : null,
            ];
        }

        public override IReadOnlyList<DataViewSchema.Column> Inputs => [.. _prompts.Columns.Prepend(_images.Column).DistinctBy(column => column.Index)];

        public override IReadOnlyList<OutputColumn<SamMasksResult?>> Outputs { get; }

        public override int BatchSize => _options.ScoringBatchSize;

        public override Func<(ImageItem Image, SamPromptNumbers Prompts)> MakeReader(DataViewRow row)
        {
            var (image, prompts) = (_images.MakeReader(row), _prompts.MakeReader(row));
            return () => (image(), prompts());
        }

        public override long ImageBytes((ImageItem Image, SamPromptNumbers Prompts) item) => item.Image.Bytes;

        private protected override IReadOnlyList<SamMasksResult?> ScoreBatch(NetworkUse network, IReadOnlyList<(ImageItem Image, SamPromptNumbers Prompts)> items, IReadOnlyList<bool> wanted)
        {
            var predictor = _sam.Predictor(network);
            return [.. items.Select(item => item.Image.Read(_options.SkipInvalidImages, image => Answer(predictor, image, item.Prompts)))];
        }

        private SamMasksResult Answer(SamPredictor predictor, RgbImage image, SamPromptNumbers numbers)
        {
            Cancellation.ThrowIfCancellationRequested();
            var size = new ImageSize(image.Height, image.Width);
            var prompts = numbers.For(size, _options);     // before the work
            foreach (var prompt in prompts)
                numbers.Named(() => prompt.Validate(size, predictor.Config.MaskSize));
            return new(size, [.. predictor.Predict(predictor.Encode(image), prompts, _options.Masks).SelectMany(masks => masks)]);
        }
    }
}
