using System.Globalization;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Reads the rows of a trainer: images with labels, or with texts. What is wrong with them is said by name.</summary>
/// <param name="host">Takes the warnings.</param>
/// <param name="imageColumn">The name of the column of images.</param>
/// <param name="labelColumn">The name of the column of labels.</param>
/// <param name="skipInvalid">Whether to pass over images that cannot be read.</param>
/// <param name="mostBytes">The memory for images.</param>
/// <param name="cancellation">Stops reading.</param>
internal sealed class LabeledImages(IHost host, string imageColumn, string labelColumn, bool skipInvalid, long mostBytes, CancellationToken cancellation)
{
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="ImageDecodeException">An image cannot be read.</exception>
    /// <exception cref="InvalidOperationException">There is no row with a label and an image.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public ImageSet Read(string part, IDataView data, ImageProcessor processor)
    {
        var set = ImageSet.Read(data, ImageColumn.Bind(data.Schema, imageColumn), LabelColumn.Bind(data.Schema, labelColumn), processor, skipInvalid, mostBytes, cancellation);
        using var channel = host.Start("Reading");
        if (set.Unlabeled > 0)
            MLNet.Warning(channel, string.Create(CultureInfo.InvariantCulture, $"{set.Unlabeled} {part} rows have no value in the column '{labelColumn}' and are left out."));
        if (set.Invalid > 0)
            MLNet.Warning(channel, string.Create(CultureInfo.InvariantCulture, $"{set.Invalid} {part} rows have an image that cannot be read and are left out."));
        if (set.Count == 0)
            throw new InvalidOperationException($"There are no rows with an image and a value in the column '{labelColumn}' among the {part} rows.");
        return set;
    }

    /// <summary>The classes of the training rows.</summary>
    /// <exception cref="InvalidOperationException">There are less than two.</exception>
    public LabelSet Labels(IDataView data, ImageSet set)
    {
        var labels = LabelColumn.Bind(data.Schema, labelColumn).Collect(set.Labels);
        return labels.Count >= 2
            ? labels
            : throw new InvalidOperationException($"The column '{labelColumn}' has one class, '{labels.Names[0]}', only; a classifier needs two.");
    }

    /// <summary>The number of each row's class.</summary>
    /// <exception cref="InvalidOperationException">Two classes have one name, or a row has a label that is none of them.</exception>
    public int[] Classes(ImageSet set, LabelSet labels)
    {
        var classOf = new Dictionary<string, int>();
        for (var i = 0; i < labels.Count; i++)
        {
            if (!classOf.TryAdd(labels.Names[i], i))
                throw new InvalidOperationException($"The column '{labelColumn}' has two classes with the name '{labels.Names[i]}'.");
        }
        return [.. set.Labels.Select(label => classOf.TryGetValue(label, out var index) ? index
            : throw new InvalidOperationException($"The validation rows have the label '{label}', which the training rows do not have."))];
    }

    /// <summary>The rows to train on and those to validate on: others, or some held out.</summary>
    /// <param name="set">The training rows.</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="processor">The preprocessing.</param>
    /// <param name="validationData">Rows to validate on; null holds some out.</param>
    /// <param name="fraction">The share that is held out.</param>
    /// <param name="seed">Decides which.</param>
    public (ImageRows Train, ImageRows Validation) Split(ImageSet set, LabelSet labels, ImageProcessor processor, IDataView? validationData, double fraction, int seed)
    {
        var classes = Classes(set, labels);
        if (validationData is not null)
        {
            var held = Read("validation", validationData, processor);
            return (ImageRows.All(set, classes), ImageRows.All(held, Classes(held, labels)));
        }
        var (train, validation) = Training.HoldOut.Split(classes, fraction, seed);
        return (new(set, classes, train), new(set, classes, validation));
    }
}
