using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>A classifier that is decided on but not built: the architecture, and where its weights come from.</summary>
/// <param name="Preprocessing">How images become the network's input; its output size is fixed and the network's.</param>
/// <param name="PublishedLabels">The classes of the checkpoint's head; null where there is no head, or where its classes have no names.</param>
/// <param name="Build">
/// Builds the network for so many classes, and loads the checkpoint or draws random weights: with the head drawn anew where that is
/// asked for, and with the source of random weights now and of dropout later, which must outlive the training.
/// </param>
internal sealed record ClassifierBlueprint(ImagePreprocessing Preprocessing, IReadOnlyList<string>? PublishedLabels, Func<int, bool, Generator, nn.Module> Build);

/// <summary>Trains an image classifier, with the best weights on the validation rows kept, or loads a published one.</summary>
internal static class ImageClassifier
{
    /// <exception cref="InvalidOperationException">There are too few rows or classes, or the checkpoint's classes have no names.</exception>
    public static ImageClassifierTransformer Fit<TOptions>(FitContext<TOptions> context)
        where TOptions : ImageClassifierOptions
    {
        using var generator = context.NetworkGenerator();
        var options = context.Options;
        var blueprint = options.Open();
        if (options.Trains)
            return Train(context, blueprint, generator);
        var names = options.Labels ?? blueprint.PublishedLabels
            ?? throw new InvalidOperationException($"The checkpoint {options.Checkpoint} has no classification head with named classes. Set Labels, or train a head.");
        return new(context.Host, new(options, blueprint.Build(names.Count, false, generator), context.Device)
        {
            Processor = new(blueprint.Preprocessing), Labels = LabelSet.OfText([.. names]),
        });
    }

    private static ImageClassifierTransformer Train<TOptions>(FitContext<TOptions> context, ClassifierBlueprint blueprint, Generator generator)
        where TOptions : ImageClassifierOptions
    {
        var (options, plan) = (context.Options, context.Options.Plan(context.Seed));
        var processor = new ImageProcessor(blueprint.Preprocessing);
        var rows = LabeledImages.Read(context.Host, options, options.LabelColumnName, context.Input, processor, plan);

        var newHead = blueprint.PublishedLabels?.SequenceEqual(rows.Labels.Names) != true;
        var network = blueprint.Build(rows.Labels.Count, newHead, generator);
        try
        {
            Freeze(network, options.TrainedParts, options.LastBlocks);
            network.to(context.Device);
            ((ITrainableClassifier)network).GradientCheckpointing = plan.GradientCheckpointing;
            using var task = new ClassificationTask(network, processor, options, plan, rows, generator, context.Device);
            var history = TrainingLoop.Run(task, plan, context.Host);
            return new(context.Host, new(options, network, context.Device) { Processor = processor, Labels = rows.Labels, History = history });
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    internal static void Freeze(nn.Module network, TrainedParts trained, int lastBlocks)
    {
        var classifier = (ITrainableClassifier)network;
        foreach (var (name, parameter) in network.named_parameters())
        {
            parameter.requires_grad = trained switch
            {
                TrainedParts.None => false,
                TrainedParts.Head => classifier.IsHead(name),
                TrainedParts.LastBlocks => classifier.LayerOf(name) > classifier.Depth - lastBlocks,
                _ => true,
            };
        }
        foreach (var norm in network.modules().OfType<BatchNorm>())
            norm.FixedStatistics = norm.weight is { requires_grad: false };
    }
}
