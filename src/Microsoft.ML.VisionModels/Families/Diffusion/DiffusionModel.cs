using System.Text.Json;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>A published diffusion model, whole: its networks, put together, and its tokenizer.</summary>
internal sealed class DiffusionModel : IDisposable
{
    private DiffusionNetwork? _network;

    private DiffusionModel(DiffusionNetwork network, ClipTokenizer? tokenizer) => (_network, Tokenizer) = (network, tokenizer);

    public DiffusionConfig Config => _network!.Config;

    public ClipTokenizer? Tokenizer { get; }

    public static DiffusionTransformer Load(FitContext<DiffusionGeneratorOptions> context)
    {
        var options = context.Options;
        string[] added = [.. options.Loras.Select(lora => FormattableString.Invariant($" + {Path.GetFileName(lora.Path)} ({lora.Weight})")), .. options.Embeddings.Select(embedding => $" + {Path.GetFileName(embedding.Path)}")];
        using var published = Open(options.Checkpoint!, options.Tokenizer, options.Precision, name: string.Concat(added), embeddings: options.Embeddings);
        published.Merge(options.Loras);
        var model = new DiffusionTransformer(context.Host, new(options, published.Take(), context.Device) { Tokenizer = published.Tokenizer });
        try
        {
            model.GetOutputSchema(context.Input.Schema);       // sizes and steps are checked by the network
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <param name="path">A folder as diffusers publishes it, or a single file.</param>
    /// <param name="tokenizer">The tokenizer's folder, where it is not the model's.</param>
    /// <param name="precision">Of the weights, which are never held in another.</param>
    /// <param name="generator">The source of dropout while training; scoring needs none.</param>
    /// <param name="imageSize">The size of images; null for the model's.</param>
    /// <param name="name">What is added to the model's name.</param>
    /// <param name="embeddings">Learned words that prompts may use.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or the parts do not fit each other.</exception>
    public static DiffusionModel Open(string path, string? tokenizer = null, Precision precision = Precision.Float32, Generator? generator = null, ImageSize? imageSize = null, string name = "",
        IReadOnlyList<DiffusionEmbedding>? embeddings = null)
    {
        var published = PublishedDiffusion.Open(path);
        var parts = new List<nn.Module>();
        ClipTextNetwork[] texts = [];
        try
        {
            var unet = Part(published.OpenUNet(precision, generator));
            var autoencoder = published.HasAutoencoder ? Part(published.OpenAutoencoder(precision)) : null;
            texts = [.. Enumerable.Range(0, published.TextEncoders).Select(index => Part(published.OpenTextEncoder(index, precision)))];
            PromptTokenizer[] prompts = [.. texts.Select((text, index) => published.OpenTokenizer(text.Config, index, tokenizer))];
            if (prompts.Length == 2 && (prompts[0].Length != prompts[1].Length || prompts[0].Tokenizer.ToTexts() != prompts[1].Tokenizer.ToTexts()))
                throw new CheckpointException($"{path}: the tokenizers of the two text encoders have different vocabularies or lengths ('model_max_length'); SDXL's differ in their padding alone.");
            var words = prompts.ElementAtOrDefault(0)?.Tokenizer;
            foreach (var embedding in embeddings ?? [])
                words = Learn(embedding, words);
            var size = unet.Config.SampleSize ?? (unet.Config.SizeWidth is null ? 64 : 128);
            var downscale = autoencoder?.Downscale ?? 1;
            var config = new DiffusionConfig
            {
                UNet = unet.Config,
                Autoencoder = (autoencoder as AutoencoderKl)?.Config,
                TinyAutoencoder = (autoencoder as TinyAutoencoder)?.Config,
                Text = texts.ElementAtOrDefault(0)?.Config,
                PromptLength = prompts.ElementAtOrDefault(0)?.Length ?? 0,
                Padding = prompts.ElementAtOrDefault(0)?.Paddings[0] ?? 0,
                SecondText = texts.ElementAtOrDefault(1)?.Config,
                SecondPadding = prompts.ElementAtOrDefault(1)?.Paddings[0] ?? 0,
                ZerosForNothing = published.ZerosForNothing,
                Scheduler = SchedulerOf(published),
                ImageSize = imageSize ?? new(size.Height * downscale, size.Width * downscale),
                Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))) + name,
            };
            return new(new(Checked(config), unet, autoencoder, texts.ElementAtOrDefault(0), texts.ElementAtOrDefault(1)), words);
        }
        catch
        {
            parts.ForEach(part => part.Dispose());
            throw;
        }

        T Part<T>(T network) where T : nn.Module
        {
            parts.Add(network);
            return network;
        }

        // A word's vectors follow those of the vocabulary, in each text encoder.
        ClipTokenizer Learn(DiffusionEmbedding embedding, ClipTokenizer? tokenizer)
        {
            if (tokenizer is null)
                throw new CheckpointException($"{path} knows no words, and so none can be learned ({embedding.Path}).");
            var word = LearnedWord.Read(embedding, [.. texts.Select(text => text.Config)]);
            string[] tokens = [.. word.Tokens];
            if (tokens.FirstOrDefault(token => tokenizer.IdOf(token) is not null) is { } known)
                throw new CheckpointException($"{embedding.Path}: the vocabulary has a token '{known}' already; give the word another name ({nameof(DiffusionEmbedding.Token)}).");
            for (var tower = 0; tower < texts.Length; tower++)
            {
                var before = texts[tower];
                using var vectors = word.Vectors[tower];
                texts[tower] = Part(before.WithTokens(tokenizer.VocabularySize, vectors, tokenizer.EndToken));
                parts.Remove(before);
                before.Dispose();
            }
            return tokenizer.With(tokens);
        }

        DiffusionConfig Checked(DiffusionConfig config)
        {
            try
            {
                return config.Validate();
            }
            catch (ArgumentException e)
            {
                throw new CheckpointException($"{path}: {e.Message}", e);
            }
        }
    }

    /// <summary>Merges LoRAs into the U-Net and the text tower, for good.</summary>
    private void Merge(IReadOnlyList<DiffusionLora> loras)
    {
        if (loras.Count == 0)
            return;
        LoraTarget[] targets = [LoraTarget.Of(_network!.UNet), .. new[] { _network.Text, _network.SecondText }.OfType<ClipTextNetwork>().Select(LoraTarget.Of)];
        Lora.Merge(targets, [.. loras.Select(lora => (lora.Path, lora.Weight))]).Keep();
    }

    /// <summary>The network, which becomes the caller's.</summary>
    public DiffusionNetwork Take()
    {
        var network = _network!;
        _network = null;
        return network;
    }

    public void Dispose() => _network?.Dispose();

    /// <summary>What the model's publisher says of its noise; of a single file, that of Stable Diffusion 1.</summary>
    private static SchedulerConfig SchedulerOf(PublishedDiffusion published)
    {
        if (published.SchedulerConfig is { } file)
            return SchedulerConfig.FromJson(ModelFolder.ReadFile(file) ?? throw new FileNotFoundException($"There is no {file}.", file));
        var scheduler = new SchedulerConfig
        {
            Scheduler = DiffusionScheduler.Ddim, BetaSchedule = BetaSchedule.ScaledLinear, BetaStart = 0.00085, BetaEnd = 0.012, Clip = false, FinalAlphaIsOne = false, StepsOffset = 1,
        };
        Notices.Say($"{published.Path} does not say how noise was added in training; taken is Stable Diffusion 1's way (scaled linear, predicting noise), with {scheduler.Scheduler}. A folder of diffusers says it in scheduler_config.json.");
        return scheduler;
    }
}

/// <summary>A diffusion model in its file, whether it was loaded or trained.</summary>
internal abstract class DiffusionKind<TOptions>(string name, int version) : ModelKind<TOptions, DiffusionConfig, DiffusionNetwork>(name, version)
    where TOptions : ScoringOptions
{
    public override IReadOnlyList<ModelUpgrade> Upgrades =>
    [
        (entry, content) =>
        {
            // Version 1 knew no SDXL and no tiles, trained no LoRAs, and kept how often its maker was shown an image.
            if (entry == "Settings.json")
            {
                content.Remove("PreviewSteps");
                (content["Sampling"]!["Sizes"], content["Sampling"]!["AutoencoderTile"]) = (ModelJson.ReadObject(ModelJson.Write(new DiffusionSizes()), entry), null);
            }
            if (entry == "Config.json")
                (content["SecondText"], content["SecondPadding"], content["ZerosForNothing"], content["Lora"]) = (null, 0, false, null);
        },
    ];

    public override ITextTokenizer ReadTokenizer(ModelArchiveReader archive) => ClipTokenizer.Load(archive);

    public override BatchTransformer Create(IHostEnvironment environment, FittedModel model) => new DiffusionTransformer(environment, model);
}

internal sealed class DiffusionGeneratorKind() : DiffusionKind<DiffusionGeneratorOptions>("diffusion-generator", version: 2);

internal sealed class DiffusionTrainerKind() : DiffusionKind<DiffusionTrainerOptions>("diffusion-trainer", version: 2);
