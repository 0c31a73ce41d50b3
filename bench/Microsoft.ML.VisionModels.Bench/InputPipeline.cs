using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// Whether the images are ready when the network wants them: the training loop with its input pipeline against the loop over one
/// batch that is always there, and the pipeline by itself. One time is an epoch of a few steps.
/// </summary>
internal static class InputPipeline
{
    public static void Run(BenchArguments arguments, SideBySide sideBySide)
    {
        var small = arguments.Text("small", string.Empty);
        var large = arguments.Text("large", string.Empty);
        if (small.Length + large.Length == 0)
            throw new ArgumentException("Give --small and --large, folders with a folder of images for each class: of about 32 x 32 and of photographs.");
        foreach (var threads in arguments.Threads)
        {
            set_num_threads(threads);
            if (small.Length > 0)
                Run(sideBySide, "ViT SmallImage, 32 x 32", ViTPreset.SmallImage, small, rows: 1280, batch: 64, threads, new() { Recipe = Recipe.FromScratchSmall, Epochs = 100 });
            if (large.Length > 0)
                Run(sideBySide, "ViT-Tiny/16, 224 x 224, kept", ViTPreset.Tiny16, large, rows: 96, batch: 16, threads, new() { Recipe = Recipe.FineTune });
            if (large.Length > 0)
                Run(sideBySide, "ViT-Tiny/16, 224 x 224, decoded anew", ViTPreset.Tiny16, large, rows: 96, batch: 16, threads, new() { Recipe = Recipe.FineTune, ImageCacheMegabytes = 0 });
        }
    }

    private static void Run(SideBySide sideBySide, string what, ViTPreset preset, string folder, int rows, int batch, int threads, ViTClassifierOptions options)
    {
        options.BatchSize = batch;
        var context = new MLContext(1);
        var view = context.Data.TakeRows(context.Data.ShuffleRows(context.Data.LoadImageFolder(folder), 1), rows);
        var config = ViTConfig.Of(preset);
        var processor = new ImageProcessor(ImagePreprocessing.ExactSize(config.ImageSize.Height, config.ImageSize.Width));
        (options.ImageColumnName, options.ValidationFraction) = ("ImagePath", 0);
        var plan = options.Plan(seed: 1);
        var labeled = LabeledImages.Read(((IHostEnvironment)context).Register("bench"), options, "Label", view, processor, plan);

        using var generator = new Generator(1);
        using var network = new ViTNetwork(config with { Classes = labeled.Labels.Count, DropPath = options.DropPath }, generator).Drawn(generator);
        using var task = new ClassificationTask(network, processor, options, plan, labeled, generator, CPU);
        using var first = task.Batches(0, 0);
        using var ready = first.Next();

        var stepAlone = Contestant.Here("the step alone", () => Train(new OneBatch(task, ready)));
        sideBySide.Run($"input-pipeline ({what})", Contestant.Here("the training loop", () => Train(task)), stepAlone, threads, batch);
        sideBySide.Run($"input-pipeline ({what})", Contestant.Here("the pipeline alone", () => Drain(task)), stepAlone, threads, batch);

        void Train(ITrainingTask task) =>
            TrainingLoop.Run(task, new TrainingPlan { Epochs = 1, BatchSize = batch, EmaDecay = options.EmaDecay, LearningRate = options.LearningRate, GradientClip = 1 });
    }

    private static void Drain(ClassificationTask task)
    {
        using var batches = task.Batches(0, 0);
        for (var step = 0; step < task.StepsPerEpoch; step++)
            batches.Next().Dispose();
    }

    /// <summary>The same epoch over a batch that was made before.</summary>
    private sealed class OneBatch(ClassificationTask task, TrainingBatch batch) : ITrainingTask
    {
        public nn.Module Network => task.Network;

        public IReadOnlyList<ParameterGroup> ParameterGroups => task.ParameterGroups;

        public int StepsPerEpoch => task.StepsPerEpoch;

        public int SamplesPerEpoch => task.SamplesPerEpoch;

        public void StartEpoch(int epoch, int firstStep)
        {
        }

        public Tensor? Loss(int step, int part, int parts) => task.Loss(batch, batch.Count);

        public ValidationResult? Validate(CancellationToken cancellation) => null;
    }
}
