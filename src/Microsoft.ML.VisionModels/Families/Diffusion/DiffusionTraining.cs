using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>Trains a diffusion model on images: from random weights, or from a published model's.</summary>
internal static class DiffusionTraining
{
    // What is learned is of few words.
    private const int TextDepth = 2, TextHeads = 4;
    private const int NormGroups = 8, HeadChannels = 32;

    // Attention between all places of larger features takes longer than everything else.
    private const int LargestAttention = 16, SmallestFeatures = 4, MostStages = 4;

    public static DiffusionTransformer Fit(FitContext<DiffusionTrainerOptions> context)
    {
        var (options, plan) = (context.Options, context.Options.Plan(context.Seed));
        using var generator = context.NetworkGenerator();
        using var published = options.Checkpoint is null ? null : DiffusionModel.Open(options.Checkpoint, options.Tokenizer, generator: generator, imageSize: options.ImageSize);
        if (published is not null)
            RequireTrainable(published.Config, options);
        ImageSize size = options.ImageSize ?? published?.Config.ImageSize ?? 32;
        var processor = new ImageProcessor(ImagePreprocessing.ForNetwork(options.Preprocessing, null, null, size));
        var set = Read("training", context.Input);
        var tokenizer = published?.Tokenizer ?? (options.CaptionColumnName is null ? null : ClipTokenizer.Learn(set.Payloads, options.VocabularySize));
        // A published model knows its classes by number.
        var labels = options.LabelColumnName is { } label && published is null ? LabelColumn.Bind(context.Input.Schema, label).Collect(set.Payloads) : null;

        var network = published?.Take() ?? Random(options, size, tokenizer, set, labels, generator);
        try
        {
            if (options.LoraRank is { } rank)
                network.AddLora(new() { Rank = rank, Alpha = options.LoraAlpha ?? rank }, generator);
            Freeze(network, options);
            network.to(context.Device);
            network.UNet.GradientCheckpointing = plan.GradientCheckpointing;
            var prompts = network.Config.Tokenizer(tokenizer);
            var (train, validation) = Split(prompts, network.Config);
            var sampler = new DiffusionSampler(network, prompts, options.Sampling, context.Device, ScalarType.Float32);
            sampler.Validate();
            if (options.LabelColumnName is not null)
            {
                foreach (var row in options.PreviewRows)
                    ClassOf(row, network.Config);       // before the work
            }
            using var task = new DiffusionTask(network, processor, options, plan, train, validation, generator, context.Device, epoch => Preview(sampler, epoch));
            var history = TrainingLoop.Run(task, plan, context.Host);
            return new(context.Host, new(options, network, context.Device) { Tokenizer = tokenizer, Labels = labels, History = history });
        }
        catch
        {
            network.Dispose();
            throw;
        }

        ImageSet<string> Read(string part, IDataView view) => TrainingRows.Read(context.Host, options, part, view, processor,
            options.CaptionColumnName ?? options.LabelColumnName, options.CaptionColumnName is { } name ? TrainingRows.Texts(view, name)
            : options.LabelColumnName is { } label ? LabelColumn.Bind(view.Schema, label, published is null ? 1 : 0).Reading() : null);

        (DiffusionRows Train, DiffusionRows Validation) Split(PromptTokenizer? prompts, DiffusionConfig config)
        {
            var all = Rows(set, prompts, config);
            if (options.ValidationData is { } data)
                return (all, Rows(Read("validation", data), prompts, config));
            var (train, validation) = HoldOut.Split(new int[set.Count], plan.ValidationFraction, plan.Seed);
            return (all with { Rows = train }, all with { Rows = validation });
        }

        DiffusionRows Rows(ImageSet<string> images, PromptTokenizer? prompts, DiffusionConfig config)
        {
            int[] all = [.. Enumerable.Range(0, images.Count)];
            if (options.LabelColumnName is not null)
                return new(images, Each(name => [ClassOf(name, config)]), config.NoClass is { } none ? [none] : null, all);
            return prompts is null ? new(images, null, null, all) : new(images, Each(Tokens), Tokens(""), all);

            // Captions and labels come again and again.
            long[][] Each(Func<string, long[]> told)
            {
                var known = images.Payloads.Distinct().ToDictionary(text => text, told);
                return [.. images.Payloads.Select(text => known[text])];
            }

            long[] Tokens(string text)
            {
                using var ids = prompts.Encode(text);
                return ids.data<long>().ToArray();
            }
        }

        int ClassOf(string name, DiffusionConfig config)
        {
            if (labels is null)
            {
                return int.TryParse(name, out var number) && number >= 0 && number < config.UNet.Classes ? number
                    : throw new ArgumentException($"The checkpoint knows its {config.UNet.Classes} classes by number from 0, and '{name}' in the column '{options.LabelColumnName}' is none of them.");
            }
            return labels.IndexOf(name) is >= 0 and var index ? index
                : throw new ArgumentException($"There is no class '{name}' among the training rows; they have {string.Join(", ", labels.Names.Take(20))}.");
        }

        void Preview(DiffusionSampler sampler, int epoch)
        {
            if (options.Previews is null || options.PreviewRows.Count == 0 || epoch % options.PreviewEpochs != 0)
                return;
            DiffusionRequest[] requests = [.. options.PreviewRows.Select((row, i) =>
                new DiffusionRequest(options.Sampling.Seed + i) { Prompt = row, Class = options.LabelColumnName is null ? null : ClassOf(row, sampler.Config) })];
            options.Previews.Report(new(epoch, [.. requests.Chunk(plan.BatchSize).SelectMany(Generate)]));

            IEnumerable<MLImage> Generate(DiffusionRequest[] some)
            {
                using var noise = new SeededNoise(some.Select(request => request.Seed));
                using var images = sampler.Generate(some, noise, null, options.CancellationToken);
                return GeneratedImages.Of(images).Select(ImageDecoder.ToMLImage);
            }
        }
    }

    /// <summary>What a checkpoint cannot learn from is said before anything is read.</summary>
    private static void RequireTrainable(DiffusionConfig config, DiffusionTrainerOptions options)
    {
        var channels = config.LatentChannels ?? 3;
        if (config.UNet.InputChannels != channels || config.UNet.OutputChannels != channels)
            throw new ArgumentException($"The checkpoint's U-Net reads {config.UNet.InputChannels} channels and tells {config.UNet.OutputChannels}; one that reads and tells {channels} can be trained: no masks beside the image, no variance, and colors.");
        Require(config.Text is not null, options.CaptionColumnName, nameof(options.CaptionColumnName), "words");
        Require(config.UNet.Classes is not null, options.LabelColumnName, nameof(options.LabelColumnName), "classes");

        static void Require(bool knows, string? column, string name, string what)
        {
            if (knows && column is null)
                throw new ArgumentException($"The checkpoint makes images of {what}; set {name}.", name);
            if (!knows && column is not null)
                throw new ArgumentException($"The checkpoint knows no {what}, from which {name} would have it learn; leave it null.", name);
        }
    }

    /// <summary>What a training from random weights trains.</summary>
    private static DiffusionNetwork Random(DiffusionTrainerOptions options, ImageSize size, ClipTokenizer? tokenizer, ImageSet<string> set, LabelSet? labels, Generator generator)
    {
        var autoencoder = options.Autoencoder is { } path ? OpenAutoencoder(path) : null;
        ClipTextConfig? text = tokenizer is null ? null : new()
        {
            VocabularySize = tokenizer.VocabularySize, Pooling = ClipTextPooling.EndToken, EndToken = tokenizer.EndToken, Positions = Longest(tokenizer, set.Payloads),
            Width = 2 * options.Channels, Depth = TextDepth, Heads = TextHeads, MlpWidth = 8 * options.Channels, EmbeddingSize = 0, Causal = false, Activation = Activation.Gelu,
        };
        var downscale = autoencoder?.Downscale ?? 1;
        var config = new DiffusionConfig
        {
            UNet = UNet(options, new(size.Height / downscale, size.Width / downscale), autoencoder?.LatentChannels ?? 3, text, labels),
            Autoencoder = (autoencoder as AutoencoderKl)?.Config,
            TinyAutoencoder = (autoencoder as TinyAutoencoder)?.Config,
            Text = text,
            PromptLength = text?.Positions ?? 0,
            Padding = tokenizer?.EndToken ?? 0,
            Scheduler = new()
            {
                // Of what is hardly more than noise, the noise tells no image: those who predict it add less, and begin a little before the end (arXiv 2305.08891).
                Scheduler = DiffusionScheduler.Ddim, BetaSchedule = options.Prediction == DiffusionPrediction.Noise ? BetaSchedule.Linear : BetaSchedule.Cosine,
                Spacing = options.Prediction == DiffusionPrediction.Noise ? TimestepSpacing.Leading : TimestepSpacing.Trailing,
                Prediction = (PredictionType)options.Prediction, Clip = autoencoder is null,
            },
            ImageSize = size,
            NoClass = labels?.Count,
            Name = "trained",
        };
        var unet = new UNet(config.Validate().UNet, generator);
        unet.Draw(generator);
        return new(config, unet, autoencoder, text is null ? null : new ClipTextNetwork(text, generator).Initialize(generator));
    }

    /// <summary>The autoencoder of a folder, by the class that its config.json names.</summary>
    private static Autoencoder OpenAutoencoder(string path) =>
        ModelFolder.Open(path).Config is { } config && config.Get("_class_name", "") == "AutoencoderTiny" ? new TinyAutoencoderModel().Open(path).Build() : new AutoencoderKlModel().Open(path).Build();

    /// <summary>A U-Net for features of a size: stages down to 4 places a side, with attention where there are at most 16.</summary>
    private static UNetConfig UNet(DiffusionTrainerOptions options, ImageSize size, int channels, ClipTextConfig? text, LabelSet? labels)
    {
        var side = Math.Min(size.Height, size.Width);
        var stages = 1;
        while (stages < MostStages && side >> stages >= SmallestFeatures)
            stages++;
        int[] widths = [.. Enumerable.Range(0, stages).Select(stage => options.Channels * Math.Min(4, 1 << stage))];
        var kind = text is null ? StageAttention.Places : StageAttention.Words;
        StageAttention[] attention = [.. Enumerable.Range(0, stages).Select(stage => stage > 0 && side >> stage <= LargestAttention ? kind : StageAttention.None)];
        return new()
        {
            SampleSize = size, InputChannels = channels, OutputChannels = channels, Channels = widths, Layers = [.. widths.Select(_ => options.Blocks)],
            Down = attention, Up = [.. attention.Reverse()], Heads = [.. widths.Select(width => width % HeadChannels == 0 ? width / HeadChannels : 1)], ContextWidths = text is null ? null : [.. widths.Select(_ => text.Width)],
            Depths = [.. widths.Select(_ => 1)], OnlyCrossAttention = [.. widths.Select(_ => false)], NormGroups = NormGroups,
            ClassEmbedding = labels is null ? ClassEmbedding.None : ClassEmbedding.Table, Classes = labels?.Count + 1,
        };
    }

    /// <summary>The tokens of the longest caption, with some room, but no more than CLIP's 77.</summary>
    private static int Longest(ClipTokenizer tokenizer, IReadOnlyList<string> texts)
    {
        var most = new ClipTextConfig().Positions;
        var ids = new long[most];
        return Math.Min(most, texts.Distinct().Max(text => tokenizer.Encode(text, ids)) + 4);
    }

    /// <summary>An autoencoder is no part of what is learned, a published text encoder neither, and beside a LoRA nothing.</summary>
    private static void Freeze(DiffusionNetwork network, DiffusionTrainerOptions options)
    {
        foreach (var (name, parameter) in network.named_parameters())
        {
            parameter.requires_grad = options.LoraRank is not null ? TrainedLora.Has(name)
                : name.StartsWith("unet.", StringComparison.Ordinal) || (options.Checkpoint is null && name.StartsWith("text_encoder.", StringComparison.Ordinal));
        }
    }
}
