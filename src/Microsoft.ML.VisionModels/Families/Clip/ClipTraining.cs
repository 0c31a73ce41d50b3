using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Text;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Trains CLIP on images and texts that describe them (arXiv 2103.00020), or goes on from a published one.</summary>
internal static class ClipTraining
{
    /// <summary>Trains on the rows, with the best weights on the validation rows kept.</summary>
    public static ClipTransformer Fit(FitContext<ClipTrainerOptions> context)
    {
        var (options, plan) = (context.Options, context.Options.Plan(context.Seed));
        var published = options.Checkpoint is null ? null : PublishedClip.Open(options);
        var preset = ClipPresets.Of(options.Preset);
        var processor = new ImageProcessor(published?.PreprocessingOr(options.Preprocessing)
            ?? ImagePreprocessing.ForNetwork(options.Preprocessing, null, null, options.ImageSize ?? preset.Vision.ImageSize));
        var known = published?.OpenTokenizer(options.Tokenizer) ?? (options.Tokenizer is { } path ? ClipTokenizer.Load(path) : null);
        var set = Read("training", context.Input);
        var tokenizer = known ?? ClipTokenizer.Learn(set.Payloads, options.VocabularySize);

        using var generator = context.NetworkGenerator();
        var network = (published ?? new ClipModel().Random(preset with
        {
            Vision = preset.Vision with { ImageSize = options.ImageSize ?? preset.Vision.ImageSize, PatchSize = options.PatchSize ?? preset.Vision.PatchSize },
            Text = preset.Text with { VocabularySize = tokenizer.VocabularySize, Pooling = ClipTextPooling.EndToken, EndToken = tokenizer.EndToken },
        })).Build(generator: generator);
        try
        {
            var (train, validation) = Split();
            network.Freeze(options.TrainedTowers);
            network.to(context.Device);
            network.GradientCheckpointing = plan.GradientCheckpointing;
            using var start = options.WeightInterpolation < 1 ? new WeightInterpolation(network) : null;
            using var task = new ClipTrainingTask(network, processor, options.Augmentation(), plan, train, validation, generator, context.Device);
            var history = TrainingLoop.Run(task, plan, context.Host);
            network.ClampTemperature();
            start?.Apply(options.WeightInterpolation);
            return new(context.Host, new(options, network, context.Device) { Processor = processor, Tokenizer = tokenizer, History = history });
        }
        catch
        {
            network.Dispose();
            throw;
        }

        ImageSet<string> Read(string part, IDataView view) => TrainingRows.Read(context.Host, options, part, view, processor, options.TextColumnName, TrainingRows.Texts(view, options.TextColumnName));

        (ClipPairs Train, ClipPairs Validation) Split()
        {
            var all = ClipPairs.Of(set, tokenizer, network.Config.Text.Positions);
            if (options.ValidationData is { } data)
                return (all, ClipPairs.Of(Read("validation", data), tokenizer, network.Config.Text.Positions));
            var (train, validation) = HoldOut.Split(new int[set.Count], plan.ValidationFraction, plan.Seed);
            return (all with { Rows = train }, all with { Rows = validation });
        }
    }
}

/// <summary>Some pairs of a set of images and the tokens of their texts.</summary>
/// <param name="Images">The images with their texts.</param>
/// <param name="Tokens">Of each of the set's rows, padded to one length.</param>
/// <param name="Lengths">How many of these are the text's.</param>
/// <param name="Rows">The rows that are meant.</param>
internal sealed record ClipPairs(ImageSet<string> Images, long[][] Tokens, int[] Lengths, int[] Rows)
{
    /// <summary>All pairs of a set.</summary>
    public static ClipPairs Of(ImageSet<string> set, ITextTokenizer tokenizer, int positions)
    {
        var (tokens, lengths) = (new long[set.Count][], new int[set.Count]);
        for (var row = 0; row < set.Count; row++)
        {
            tokens[row] = new long[positions];
            lengths[row] = tokenizer.Encode(set.Payloads[row], tokens[row]);
        }
        return new(set, tokens, lengths, [.. Enumerable.Range(0, set.Count)]);
    }
}
