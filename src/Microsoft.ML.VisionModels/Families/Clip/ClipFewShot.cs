using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Text;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Linear = Microsoft.ML.VisionModels.Layers.Linear;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Learns classes from a few labeled images each, on CLIP's vision tower: by Tip-Adapter, CoOp, or a linear probe.</summary>
internal sealed class ClipFewShot
{
    private const int ImagesAtOnce = 32;

    private readonly FitContext<ClipFewShotOptions> _context;
    private readonly ClipFewShotOptions _options;
    private readonly TrainingPlan _plan;
    private readonly Device _device;

    private ClipFewShot(FitContext<ClipFewShotOptions> context) =>
        (_context, _options, _plan, _device) = (context, context.Options, context.Options.Plan(context.Seed), context.Device);

    /// <summary>Loads the network, computes the images' vectors, and learns from these.</summary>
    /// <exception cref="NotSupportedException"><see cref="ClipFewShotMethod.CoOp"/> with SigLIP.</exception>
    public static ClassifierTransformer Fit(FitContext<ClipFewShotOptions> context) => new ClipFewShot(context).Fit();

    private ClassifierTransformer Fit()
    {
        var published = PublishedClip.Open(_options);
        if (_options.Method == ClipFewShotMethod.CoOp && published.Config.Sigmoid)
            throw new NotSupportedException($"{_options.Checkpoint} is a SigLIP. CoOp learns what follows CLIP's start token, which SigLIP's texts do not have: use TipAdapter or LinearProbe.");
        var tokenizer = _options.Method == ClipFewShotMethod.LinearProbe ? null : published.OpenTokenizer(_options.Tokenizer);
        var processor = new ImageProcessor(published.PreprocessingOr(_options.Preprocessing));
        var rows = LabeledImages.Read(_context.Host, _options, _options.LabelColumnName, _context.Input, processor, _plan);
        var words = ClipTemplates.Words(rows.Labels.Names, _options.LabelWords);

        using var scope = NewDisposeScope();
        var network = published.Build();
        try
        {
            network.to(_device);
            foreach (var parameter in network.parameters())
                parameter.requires_grad = false;
            var (learned, history) = Learn(network, tokenizer, rows.Labels, words, Embed(network.Vision, processor, rows.Train), Embed(network.Vision, processor, rows.Validation));
            network.Text.Dispose();
            return new(_context.Host, new(_options, learned, _device) { Processor = processor, Labels = rows.Labels, History = history });
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private (ClipClassifierNetwork Network, TrainingHistory? History) Learn(
        ClipNetwork network, ITextTokenizer? tokenizer, LabelSet labels, IReadOnlyList<string> words, FewShotRows train, FewShotRows validation)
    {
        using var generator = _context.NetworkGenerator();
        switch (_options.Method)
        {
            case ClipFewShotMethod.TipAdapter:
            {
                var classes = ClipTexts.EmbedClasses(network.Text, tokenizer!, words, _options.Templates, _device, _context.Host, _context.ThrowIfCanceled);
                var examples = TipAdapter.Of(train.Vectors, OneHot(train, labels.Count), _options.CacheWeight, _options.CacheSharpness);
                return (network.Classifier(classes, examples), null);
            }
            case ClipFewShotMethod.CoOp:
            {
                network.Text.GradientCheckpointing = _plan.GradientCheckpointing;
                using var prompts = new CoOp(network.Text, (ClipTokenizer)tokenizer!, words, _options.ContextTokens, _device, generator);
                var history = TrainingLoop.Run(Task(prompts, vectors => network.Logits(vectors, prompts.Classes())), _plan, _context.Host);
                using var _ = no_grad();
                return (network.Classifier(prompts.Classes()), history);
            }
            default:
            {
                var probe = new Linear(network.Config.EmbeddingSize, labels.Count);
                Initialization.Zero(probe.weight);
                Initialization.Zero(probe.bias);
                probe.to(_device);
                // Times the temperature, as the words' logits are: so that usual learning rates suit vectors of length 1.
                var history = TrainingLoop.Run(Task(probe, vectors => network.ScaleByTemperature(probe.forward(vectors))), _plan, _context.Host);
                using var _ = no_grad();
                probe.weight.copy_(network.ScaleByTemperature(probe.weight));
                probe.bias!.copy_(network.ScaleByTemperature(probe.bias));
                return (new ClipClassifierNetwork(network.Config, network.Vision, probe, sigmoid: false), history);
            }
        }

        FewShotTask Task(nn.Module learns, Func<Tensor, Tensor> logits) => new(learns, logits, train, validation, _plan, new Dictionary<string, string>
        {
            ["checkpoint"] = Path.GetFileName(_options.Checkpoint!.TrimEnd(Path.DirectorySeparatorChar)),
            ["classes"] = string.Join(", ", labels.Names),
        });
    }

    private FewShotRows Embed(ClipVisionNetwork network, ImageProcessor processor, LabeledRows rows)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (var chunk in rows.Indices.Chunk(ImagesAtOnce))
        {
            _context.ThrowIfCanceled();
            using var inner = NewDisposeScope();
            var pixels = processor.Normalize(rows.Set.Pixels(chunk).to(_device));
            parts.Add(ClipNetwork.Normalize(network.forward(pixels)).MoveToOuterDisposeScope());
        }
        var vectors = parts.Count > 0 ? cat(parts) : empty(0, network.Config.EmbeddingSize, device: _device);
        return new(vectors.MoveToOuterDisposeScope(), rows.ClassesOfRows(), rows.Set.Digest());
    }

    private static Tensor OneHot(FewShotRows rows, int classes) =>
        F.one_hot(rows.ClassesOf([.. Enumerable.Range(0, rows.Classes.Length)]), classes).to(ScalarType.Float32);
}
