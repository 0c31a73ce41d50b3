using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>The columns with prompts, and the prompts that are the same for all rows.</summary>
internal sealed class SamPromptReader
{
    private readonly SamMasksOptions _options;
    private readonly DataViewSchema.Column? _points, _labels, _boxes, _mask;

    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SamPromptReader(DataViewSchema schema, SamMasksOptions options)
    {
        _options = options;
        (_points, _labels, _boxes) = (Column(options.PointsColumnName, Numbers), Column(options.PointLabelsColumnName, Numbers), Column(options.BoxesColumnName, Numbers));
        _mask = Column(options.RoughMaskColumnName, Image);

        DataViewSchema.Column? Column(string? name, Func<string, InputColumn> kind) => name is null ? null : kind(name).Find(schema);
    }

    /// <summary>The columns that the options name.</summary>
    public static IEnumerable<InputColumn> Inputs(SamMasksOptions options) =>
    [
        .. new[] { options.PointsColumnName, options.PointLabelsColumnName, options.BoxesColumnName }.OfType<string>().Select(Numbers),
        .. new[] { options.RoughMaskColumnName }.OfType<string>().Select(Image),
    ];

    public IEnumerable<DataViewSchema.Column> Columns => new[] { _points, _labels, _boxes, _mask }.Where(column => column is not null).Select(column => column!.Value);

    /// <summary>A function that reads the present row.</summary>
    public Func<SamPromptNumbers> MakeReader(DataViewRow row)
    {
        var (points, labels, boxes) = (Reader(_points, _options.Points), Reader(_labels, _options.PointLabels), Reader(_boxes, _options.Boxes));
        var mask = _mask is { } column ? row.GetGetter<MLImage>(row.Schema[column.Index]) : null;
        MLImage? image = null;
        return () =>
        {
            mask?.Invoke(ref image!);
            return new(row.Position, points(), labels(), boxes(), image is null ? null : ImageDecoder.FromMLImage(image));
        };

        Func<float[]> Reader(DataViewSchema.Column? column, IReadOnlyList<float> always)
        {
            if (column is not { } present)
                return () => [.. always];
            var getter = row.GetGetter<VBuffer<float>>(row.Schema[present.Index]);
            VBuffer<float> buffer = default;
            return () =>
            {
                getter(ref buffer);
                return [.. buffer.DenseValues()];
            };
        }
    }

    private static InputColumn Numbers(string name) => new(name, "a vector of numbers (Single)",
        type => type is VectorDataViewType { ItemType: NumberDataViewType { RawType: var item } } && item == typeof(float),
        column => column.Kind != SchemaShape.Column.VectorKind.Scalar && column.ItemType is NumberDataViewType { RawType: var item } && item == typeof(float));

    private static InputColumn Image(string name) => new(name, "an image (MLImage)", type => type is ImageDataViewType,
        column => column.Kind == SchemaShape.Column.VectorKind.Scalar && column.ItemType is ImageDataViewType);
}

/// <summary>A row's prompts as they stand in its columns.</summary>
internal sealed record SamPromptNumbers(long Row, float[] Points, float[] Labels, float[] Boxes, RgbImage? RoughMask)
{
    /// <exception cref="ArgumentException">There is none, or the numbers do not fit each other; names the row.</exception>
    public SamPrompt[] For(ImageSize image, SamMasksOptions options)
    {
        if (Points.Length % 2 != 0)
            throw Wrong($"points are x and y in turn, but there are {Points.Length} numbers");
        if (Boxes.Length % 4 != 0)
            throw Wrong($"boxes are left, top, right and bottom in turn, but there are {Boxes.Length} numbers");
        if (Labels.Length > 0 && Labels.Length != Points.Length / 2)
            throw Wrong($"there are {Labels.Length} labels for {Points.Length / 2} points");
        if (Array.Exists(Labels, label => label is not (0 or 1)))
            throw Wrong($"a point's label is 1 or 0, not {Array.Find(Labels, label => label is not (0 or 1))}");

        var (width, height) = options.RelativeCoordinates ? (image.Width, image.Height) : (1, 1);
        var points = Points.Chunk(2).Select((place, i) => new SamPoint(place[0] * width, place[1] * height, Labels.Length == 0 || Labels[i] == 1)).ToArray();
        var boxes = Boxes.Chunk(4).Select(side => new SamBox(side[0] * width, side[1] * height, side[2] * width, side[3] * height)).ToArray();
        var groups = points.Chunk(options.PointsPerPrompt ?? Math.Max(1, points.Length)).ToArray();
        var mask = RoughMask is null ? null : MaskOf(RoughMask, image);
        if (groups.Length > 0 && groups[^1].Length != groups[0].Length)
            throw Wrong($"{points.Length} points cannot be dealt out to prompts of {options.PointsPerPrompt}");
        if (groups.Length > 0 && boxes.Length > 0 && groups.Length != boxes.Length)
            throw Wrong($"{groups.Length} groups of points do not go with {boxes.Length} boxes; {nameof(SamMasksOptions.PointsPerPrompt)} says how points are dealt out");
        var count = Math.Max(Math.Max(groups.Length, boxes.Length), mask is null ? 0 : 1);
        if (count == 0)
            throw Wrong("it has no prompt: neither points nor boxes nor a rough mask");
        return [.. Enumerable.Range(0, count).Select(i => new SamPrompt
        {
            Points = groups.Length > 0 ? groups[i] : [], Box = boxes.Length > 0 ? boxes[i] : null, Mask = mask,
        })];

        ArgumentException Wrong(string what) => new($"Row {Row}: {what}.");
    }

    /// <summary>Does something about the prompts; errors name the row.</summary>
    public void Named(Action action)
    {
        try
        {
            action();
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"Row {Row}: {e.Message}", e);
        }
    }

    /// <summary>What is brighter than half of the brightest: masks are saved with 255 inside, and with 1.</summary>
    private static RunLengthMask MaskOf(RgbImage rough, ImageSize image)
    {
        var resized = PillowResize.Resize(rough, image.Width, image.Height, ResizeFilter.Nearest).Pixels;
        var brightest = rough.Pixels.Max();
        return RunLengthMask.FromPixels(image.Height, image.Width, [.. Enumerable.Range(0, image.Area)
            .Select(i => 2 * Math.Max(resized[3 * i], Math.Max(resized[3 * i + 1], resized[3 * i + 2])) > brightest ? (byte)1 : (byte)0)]);
    }
}
