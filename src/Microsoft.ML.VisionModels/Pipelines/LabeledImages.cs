using System.Globalization;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Some rows of a set of labeled images.</summary>
/// <param name="Set">The images with their labels.</param>
/// <param name="Classes">The class of each of the set's rows.</param>
/// <param name="Indices">The rows that are meant.</param>
internal sealed record LabeledRows(ImageSet<string> Set, int[] Classes, int[] Indices)
{
    public int Count => Indices.Length;

    /// <summary>All rows of a set.</summary>
    public static LabeledRows All(ImageSet<string> set, int[] classes) => new(set, classes, [.. Enumerable.Range(0, set.Count)]);

    /// <summary>The classes of the rows that are meant.</summary>
    public int[] ClassesOfRows() => Array.ConvertAll(Indices, i => Classes[i]);
}

/// <summary>The rows of a classifier's training: to learn from, and to judge by, which may be none.</summary>
internal sealed record LabeledImages(LabelSet Labels, LabeledRows Train, LabeledRows Validation)
{
    /// <summary>Reads the training rows and those to validate on: others, or some held out. What is wrong with them is said by name.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="ImageDecodeException">An image cannot be read.</exception>
    /// <exception cref="InvalidOperationException">There are too few rows or classes, two classes have one name, or a validation row has another label.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static LabeledImages Read(IHost host, TrainerOptions options, string labelColumn, IDataView input, ImageProcessor processor, TrainingPlan plan)
    {
        var column = LabelColumn.Bind(input.Schema, labelColumn);
        var set = Set("training", input);
        var labels = column.Collect(set.Payloads);
        if (labels.Count < 2)
            throw new InvalidOperationException($"The column '{labelColumn}' has one class, '{labels.Names[0]}', only; a classifier needs two.");
        var classes = Classes(set, labels, labelColumn);
        if (options.ValidationData is { } data)
        {
            var held = Set("validation", data);
            return new(labels, LabeledRows.All(set, classes), LabeledRows.All(held, Classes(held, labels, labelColumn)));
        }
        var (train, validation) = HoldOut.Split(classes, plan.ValidationFraction, plan.Seed);
        return new(labels, new(set, classes, train), new(set, classes, validation));

        ImageSet<string> Set(string part, IDataView view) => TrainingRows.Read(host, options, part, view, processor, labelColumn, LabelColumn.Bind(view.Schema, labelColumn).Reading());
    }

    private static int[] Classes(ImageSet<string> set, LabelSet labels, string labelColumn)
    {
        var classOf = new Dictionary<string, int>();
        for (var i = 0; i < labels.Count; i++)
        {
            if (!classOf.TryAdd(labels.Names[i], i))
                throw new InvalidOperationException($"The column '{labelColumn}' has two classes with the name '{labels.Names[i]}'.");
        }
        return [.. set.Payloads.Select(label => classOf.TryGetValue(label, out var index) ? index
            : throw new InvalidOperationException($"The validation rows have the label '{label}', which the training rows do not have."))];
    }
}

/// <summary>How what goes with a training image is read.</summary>
/// <param name="Column">The column, beside the image's.</param>
/// <param name="MakeReader">A function that reads the row's present position; null where there is nothing.</param>
internal sealed record PayloadColumn<T>(DataViewSchema.Column Column, Func<DataViewRow, Func<T?>> MakeReader) where T : class;

/// <summary>Reads images, each with what goes with it.</summary>
internal static class TrainingRows
{
    private const int RowsAtOnce = 64;

    /// <param name="host">Takes the warnings, and may tell to stop.</param>
    /// <param name="options">Name the column of images, and say what happens to those that cannot be read.</param>
    /// <param name="part">What the rows are called in messages.</param>
    /// <param name="data">The rows.</param>
    /// <param name="processor">The preprocessing; its output has a fixed size.</param>
    /// <param name="payloadColumn">What messages call the column of payloads.</param>
    /// <param name="payload">Rows without one are left out; null for images alone.</param>
    /// <exception cref="ImageDecodeException">An image cannot be read.</exception>
    /// <exception cref="InvalidOperationException">There is no row with an image and a payload.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static ImageSet<T> Read<T>(
        IHost host, TrainerOptions options, string part, IDataView data, ImageProcessor processor, string? payloadColumn, PayloadColumn<T>? payload) where T : class
    {
        var set = new ImageSet<T>(processor, (long)options.ImageCacheMegabytes << 20);
        var images = ImageColumn.Bind(data.Schema, options.ImageColumnName);
        var empty = 0;
        using var cursor = data.GetRowCursor(payload is null ? [images.Column] : [images.Column, payload.Column]);
        var (readImage, readPayload) = (images.MakeReader(cursor), payload?.MakeReader(cursor));
        var rows = new List<(ImageItem Image, T Payload)>(RowsAtOnce);
        var bytes = 0L;
        for (var more = true; more;)
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            host.ThrowIfCanceled();
            more = cursor.MoveNext();
            if (more)
            {
                if (readPayload is null)
                    Add(null!);
                else if (readPayload() is { } present)
                    Add(present);
                else
                    empty++;
            }
            if (rows.Count == RowsAtOnce || bytes > ImageMemory.Limit || !more)
            {
                set.Add(rows, options.SkipInvalidImages);
                rows.Clear();
                bytes = 0;
            }
        }

        void Add(T present)
        {
            rows.Add((readImage(), present));
            bytes += rows[^1].Image.Bytes;
        }

        using var channel = host.Start("Reading");
        if (empty > 0)
            MLNet.Warning(channel, string.Create(CultureInfo.InvariantCulture, $"{empty} {part} rows have no value in the column '{payloadColumn}' and are left out."));
        if (set.Invalid > 0)
            MLNet.Warning(channel, string.Create(CultureInfo.InvariantCulture, $"{set.Invalid} {part} rows have an image that cannot be read and are left out."));
        if (set.Count == 0)
            throw new InvalidOperationException($"There are no rows with an image{(payloadColumn is null ? "" : $" and a value in the column '{payloadColumn}'")} among the {part} rows.");
        return set;
    }

    /// <summary>Texts as what goes with training images; a row whose text is empty has none.</summary>
    public static PayloadColumn<string> Texts(IDataView view, string name)
    {
        var column = TextColumn.Input(name).Find(view.Schema);
        return new(column, row =>
        {
            var read = TextColumn.MakeReader(row, column);
            return () => read() is { Length: > 0 } text ? text : null;
        });
    }
}
