using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Classifies images with words: loads CLIP, and makes a class of each label.</summary>
internal static class ClipZeroShot
{
    /// <summary>Loads the network and computes the labels' vectors. Images are not looked at.</summary>
    /// <exception cref="ArgumentException">The labels are none, empty, or nothing to the vocabulary.</exception>
    /// <exception cref="FileNotFoundException">The checkpoint, its tokenizer or the file of labels is not there.</exception>
    public static ClassifierTransformer Fit(FitContext<ClipZeroShotOptions> context)
    {
        var (options, device) = (context.Options, context.Device);
        var labels = Labels(context);
        var published = PublishedClip.Open(options);
        var tokenizer = published.OpenTokenizer(options.Tokenizer);
        var preprocessing = published.PreprocessingOr(options.Preprocessing);
        using var scope = NewDisposeScope();
        var network = published.Build();
        network.to(device);
        using var text = network.Text;      // its work is done here
        try
        {
            var words = ClipTemplates.Words(labels.Names, options.LabelWords);
            var classes = ClipTexts.EmbedClasses(text, tokenizer, words, options.Templates, device, context.Host, context.ThrowIfCanceled);
            return new(context.Host, new(options, network.Classifier(classes), device) { Processor = new(preprocessing), Labels = labels });
        }
        catch
        {
            network.Vision.Dispose();
            throw;
        }
    }

    private static LabelSet Labels(FitContext<ClipZeroShotOptions> context)
    {
        var labels = context.Options.LabelColumnName is { } name ? FromColumn(LabelColumn.Bind(context.Input.Schema, name)) : LabelSet.OfText(Written(context.Options));
        ClipZeroShotOptions.RequireLabels(labels.Names);
        foreach (var (label, count) in labels.Names.CountBy(label => label).Where(label => label.Value > 1))
            Notices.Say($"The label '{label}' is there {count} times: these classes get the same probability. Change Labels to tell them apart.");
        return labels;

        LabelSet FromColumn(LabelColumn column)
        {
            using var cursor = context.Input.GetRowCursor([column.Column]);
            var read = column.MakeReader(cursor);
            var found = new HashSet<string>();
            while (cursor.MoveNext())
            {
                context.ThrowIfCanceled();
                if (read() is { } label)
                    found.Add(label);
            }
            return column.Collect(found);
        }
    }

    private static string[] Written(ClipZeroShotOptions options)
    {
        if (options.Labels is { } labels)
            return [.. labels];
        if (!Path.Exists(options.LabelsFile))
            throw new FileNotFoundException($"There is no file of labels '{options.LabelsFile}'.", options.LabelsFile);
        string[] lines = [.. InputFile.ReadText(options.LabelsFile).Split('\n', '\r').Select(line => line.Trim()).Where(line => line.Length > 0)];
        return lines.Length > 0 ? lines : throw new ArgumentException($"The file of labels '{options.LabelsFile}' has no lines with text.");
    }
}
