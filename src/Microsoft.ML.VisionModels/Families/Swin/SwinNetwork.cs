using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = Microsoft.ML.VisionModels.Layers.Linear;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>
/// The Swin Transformer: "Hierarchical Vision Transformer using Shifted Windows" (arXiv 2103.14030), and "Swin Transformer V2:
/// Scaling Up Capacity and Resolution" (arXiv 2111.09883). Reference implementations: microsoft/Swin-Transformer, and Hugging Face's
/// Swin, Swinv2 and their backbones.
/// </summary>
/// <remarks>Built without values: load a checkpoint, or call <see cref="Draw"/>. Images of any size go in; edges are padded.</remarks>
internal sealed class SwinNetwork : nn.Module<Tensor, Tensor>, INetwork<SwinConfig, SwinNetwork>, ITrainableClassifier, IFeatureNetwork
{
    internal const double InitialStd = 0.02;

    private readonly SwinEmbedding patch_embed;
    private readonly ModuleList<SwinStage> stages;
    private readonly LayerNorm? norm;
    private readonly ModuleDict<LayerNorm>? feature_norms;
    private readonly Linear? head;

    /// <param name="config">The hyper-parameters.</param>
    /// <param name="generator">The source of dropout and drop path while training; the caller keeps it alive. Scoring needs none.</param>
    public SwinNetwork(SwinConfig config, Generator? generator = null) : base(nameof(SwinNetwork))
    {
        Config = config.Validate();
        patch_embed = new(config, generator);
        stages = new([.. Enumerable.Range(0, config.Stages).Select(stage => new SwinStage(config, stage, generator))]);
        norm = config.FinalNorm ? Parameters.LayerNorm(FinalWidth, config.NormEps) : null;
        feature_norms = config.HasFeatureNorms
            ? nn.ModuleDict<LayerNorm>([.. config.FeatureNames.Select(name => (name, Parameters.LayerNorm(WidthOf(name), SwinConfig.FixedNormEps)))])
            : null;
        head = config.Classes is { } classes ? new(FinalWidth, classes) : null;
        RegisterComponents();

        int WidthOf(string name) => config.WidthOf(Math.Max(0, config.StageNames.ToList().IndexOf(name) - 1));
    }

    public SwinConfig Config { get; private set; }

    public static SwinNetwork Create(SwinConfig config, Generator? generator = null) => new(config, generator);

    /// <inheritdoc cref="SwinStage.GradientCheckpointing"/>
    public bool GradientCheckpointing
    {
        get => stages[0].GradientCheckpointing;
        set
        {
            foreach (var stage in stages)
                stage.GradientCheckpointing = value;
        }
    }

    private int FinalWidth => Config.WidthOf(Config.LastStage);

    /// <summary>Logits [B, classes] of normalized images [B, C, H, W].</summary>
    public override Tensor forward(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return Logits(Embedding(Features(pixels))).MoveToOuterDisposeScope();
    }

    /// <summary>The last stage's tokens after the final layer norm; a backbone has at most one for its feature map.</summary>
    /// <param name="pixels">Normalized images [B, C, H, W].</param>
    /// <param name="trace">
    /// Takes, where it wants them, <c>patch_embeddings</c>, <c>stem</c> (these normalized), <c>stage1</c>, … (before the merging),
    /// <c>merged.1</c>, … (after it, the same for the last), and of the blocks <c>stages.i.blocks.j</c> and <c>stages.i.blocks.j.attentions</c>.
    /// </param>
    /// <returns>[B, H, W, D].</returns>
    public Tensor Features(Tensor pixels, Trace? trace = null)
    {
        if (pixels.dim() != 4 || pixels.shape[1] != Config.Channels)
            throw new ArgumentException($"Images must be [batch, {Config.Channels}, height, width], not [{string.Join(", ", pixels.shape)}].", nameof(pixels));
        using var scope = NewDisposeScope();
        var x = patch_embed.forward(pixels, trace);                 // [B, H, W, D]
        trace?.Add("stem", x);
        for (var stage = 0; stage < Config.Stages; stage++)
        {
            x = stages[stage].forward(x, trace?.In($"stages.{stage}"));
            trace?.Add(SwinConfig.StageName(stage), x);
            x = stages[stage].Merge(x);                             // [B, H / 2, W / 2, 2 D]
            trace?.Add($"merged.{stage + 1}", x);
        }
        x = norm?.forward(x) ?? NormOf(SwinConfig.StageName(Config.LastStage), x);
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>A stage's output as an image with channels, normalized where the network has a norm for it.</summary>
    /// <param name="name"><c>stem</c>, <c>stage1</c>, …</param>
    /// <param name="x">What <see cref="Features"/> left under this name, [B, H, W, D].</param>
    /// <returns>[B, D, H, W].</returns>
    public Tensor FeatureMap(string name, Tensor x) => NormOf(name, x).permute(0, 3, 1, 2);

    /// <summary>One vector an image, [B, D], the mean of the tokens [B, H, W, D]: what the head reads.</summary>
    public static Tensor Embedding(Tensor features) => features.mean([1, 2]);

    /// <summary>Class scores before the softmax, [B, classes], of embeddings [B, D].</summary>
    /// <exception cref="InvalidOperationException">The network has no head.</exception>
    public Tensor Logits(Tensor embedding) => head?.forward(embedding) ?? throw new InvalidOperationException("This Swin Transformer has no classification head.");

    /// <summary>
    /// Where the likeliest class comes from (Grad-CAM, arXiv 1610.02391). The head is linear in the mean of the tokens, so that the
    /// gradient is the class's weights: each token counts by its product with them, if it speaks for the class.
    /// </summary>
    /// <param name="features">The last stage's tokens [B, H, W, D].</param>
    /// <param name="logits">Their class scores [B, classes].</param>
    /// <returns>[B, H, W], from 0 to 1; the highest is 1 unless no token speaks for the class.</returns>
    public Tensor ClassMap(Tensor features, Tensor logits)
    {
        var map = ClassActivation.Of(features.flatten(1, 2), head!.weight, logits.argmax(1));     // [B, H W]
        return ClassActivation.Scaled(map).view(features.shape[..3]);
    }

    private Tensor NormOf(string name, Tensor x) => feature_norms is not null && Config.FeatureNames.Contains(name) ? feature_norms[name].forward(x) : x;

    /// <summary>
    /// Makes this a network for images or windows of another size, for fine-tuning: V1's tables of biases are resampled, V2 goes on
    /// measuring positions by the windows that it was trained with. Call it before an optimizer takes the parameters.
    /// </summary>
    /// <param name="imageSize">The images' size in pixels.</param>
    /// <param name="windowSize">The side of a window in tokens; null leaves it.</param>
    public SwinNetwork Resize(ImageSize imageSize, int? windowSize = null)
    {
        var config = (Config with { ImageSize = imageSize, WindowSize = windowSize ?? Config.WindowSize }).Validate();
        if (config.Version == SwinVersion.V2)
            config = config with { PretrainedWindows = [.. Enumerable.Range(0, config.Stages).Select(stage => Pretrained(config, stage))] };
        foreach (var stage in stages)
            stage.Resize(config);
        Config = config;
        return this;

        int Pretrained(SwinConfig config, int stage)
        {
            var known = Config.PretrainedWindows.ElementAtOrDefault(stage);
            return known > 0 || config.NativeWindow(stage) == Config.NativeWindow(stage) ? known : Config.NativeWindow(stage);
        }
    }

    /// <summary>
    /// Draws every weight: linear layers with the spread of Xavier's rule for the stage's width, tables of biases from a truncated
    /// normal of 0.02; V2's residual branches begin at zero.
    /// </summary>
    public void Draw(Generator generator)
    {
        Initialization.Fill(patch_embed, InitialStd, generator);
        foreach (var stage in stages)
            stage.Initialize(generator);
        DrawHead(generator);
    }

    /// <summary>Draws a new head only, for fine-tuning a loaded network on other classes.</summary>
    public void DrawHead(Generator generator)
    {
        if (head is not null)
            Initialization.Fill(head, InitialStd, generator);
    }

    public int EmbeddingSize => FinalWidth;

    public ImageSize AttentionSize => Config.GridOf(Config.LastStage);

    public ClassifierOutput Classify(Tensor pixels, bool embedding = false, bool attention = false)
    {
        var features = Features(pixels);                // [B, H, W, D]
        var pooled = Embedding(features);               // [B, D]
        var logits = Logits(pooled);
        return new(logits, embedding ? pooled : null, attention ? ClassMap(features, logits) : null);
    }

    public int Depth => Config.Blocks;

    public bool IsHead(string parameter) => parameter.StartsWith("head.", StringComparison.Ordinal);

    public int LayerOf(string parameter) => parameter.Split('.') switch
    {
        ["stages", var stage, "blocks", var block, ..] => Config.FirstBlockOf(Number(stage)) + Number(block) + 1,
        ["stages", var stage, ..] => Config.FirstBlockOf(Number(stage) + 1),    // the merging belongs to the stage's last block
        ["norm" or "head", ..] => Depth + 1,
        _ => 0,
    };

    public bool IsSparedFromDecay(string parameter) =>
        parameter.Contains(".position_bias.", StringComparison.Ordinal) || parameter.EndsWith(".logit_scale", StringComparison.Ordinal);

    /// <summary>The pooled vector, each stage's feature map, which is called as the options' property is without its ending, and that of which the vector is the mean.</summary>
    IReadOnlyList<ImageFeature> IFeatureNetwork.Features =>
    [
        new(IFeatureNetwork.Embedding, [FinalWidth]),
        .. Enumerable.Range(0, Config.Stages).Select(stage => new ImageFeature(NameOf(stage), [Config.WidthOf(stage), Config.GridOf(stage).Height, Config.GridOf(stage).Width])),
        new(IFeatureNetwork.FeatureMap, [FinalWidth, Config.GridOf(Config.LastStage).Height, Config.GridOf(Config.LastStage).Width]),
    ];

    public IReadOnlyDictionary<string, Tensor> Describe(Tensor pixels, IReadOnlySet<string> wanted)
    {
        var stages = Enumerable.Range(0, Config.Stages).Where(stage => wanted.Contains(NameOf(stage))).ToArray();
        using var trace = stages.Length > 0 ? new Trace([.. stages.Select(SwinConfig.StageName)]) : null;    // what is traced is not checkpointed
        var features = Features(pixels, trace);
        var outputs = stages.ToDictionary(NameOf, stage => FeatureMap(SwinConfig.StageName(stage), trace![SwinConfig.StageName(stage)]));
        if (wanted.Contains(IFeatureNetwork.Embedding))
            outputs[IFeatureNetwork.Embedding] = Embedding(features);
        if (wanted.Contains(IFeatureNetwork.FeatureMap))
            outputs[IFeatureNetwork.FeatureMap] = features.permute(0, 3, 1, 2);     // [B, D, H, W]
        return outputs;
    }

    private static string NameOf(int stage) => $"Stage{stage + 1}";

    private static int Number(string segment) => int.Parse(segment, CultureInfo.InvariantCulture);
}
