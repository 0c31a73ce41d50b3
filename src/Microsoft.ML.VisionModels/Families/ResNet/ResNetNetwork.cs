using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using BatchNorm = Microsoft.ML.VisionModels.Layers.BatchNorm;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;
using Linear = Microsoft.ML.VisionModels.Layers.Linear;

namespace Microsoft.ML.VisionModels.Families.ResNet;

/// <summary>
/// ResNet: "Deep Residual Learning for Image Recognition" (arXiv 1512.03385), as torchvision has it, whose names its parameters bear.
/// Reference implementations: torchvision's <c>resnet.py</c>, and Hugging Face's ResNet.
/// </summary>
/// <remarks>Built without values: load a checkpoint, or call <see cref="Draw"/>. Images of any size go in.</remarks>
internal sealed class ResNetNetwork : nn.Module<Tensor, Tensor>, INetwork<ResNetConfig, ResNetNetwork>, ITrainableClassifier, IFeatureNetwork
{
    private const string FeatureMap = nameof(FeatureMap), StageFeature = "Stage";

    private readonly Conv2d conv1;
    private readonly BatchNorm bn1;
    private readonly ModuleList<ResNetBlock> layer1, layer2, layer3, layer4;
    private readonly Linear? fc;
    private readonly Generator? _generator;

    /// <param name="config">The hyper-parameters.</param>
    /// <param name="generator">The source of drop path while training; the caller keeps it alive. Scoring needs none.</param>
    public ResNetNetwork(ResNetConfig config, Generator? generator = null) : base(nameof(ResNetNetwork))
    {
        (Config, _generator) = (config.Validate(), generator);
        conv1 = config.SmallStem ? ResNetBlock.Convolution(config.Channels, config.Width, 3) : ResNetBlock.Convolution(config.Channels, config.Width, 7, stride: 2);
        bn1 = new(config.Width);
        (layer1, layer2, layer3, layer4) = (Stage(0), Stage(1), Stage(2), Stage(3));
        fc = config.Classes is { } classes ? new(EmbeddingSize, classes) : null;
        RegisterComponents();

        ModuleList<ResNetBlock> Stage(int stage) => new([.. Enumerable.Range(0, config.Depths[stage]).Select(index => new ResNetBlock(config, stage, index, generator))]);
    }

    public ResNetConfig Config { get; }

    public static ResNetNetwork Create(ResNetConfig config, Generator? generator = null) => new(config, generator);

    /// <summary>Whether training computes the blocks twice to save memory; not those that are traced.</summary>
    public bool GradientCheckpointing { get; set; }

    /// <summary>Logits [B, classes] of normalized images [B, C, H, W].</summary>
    public override Tensor forward(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return Logits(Embedding(Features(pixels))).MoveToOuterDisposeScope();
    }

    /// <summary>The last stage's feature map.</summary>
    /// <param name="pixels">Normalized images [B, C, H, W].</param>
    /// <param name="trace">Takes <c>stem</c>, <c>layer1</c>, … <c>layer4</c> where it wants them.</param>
    /// <returns>[B, D, H / 32, W / 32], rounded up; of H / 8 and W / 8 after a small stem.</returns>
    public Tensor Features(Tensor pixels, Trace? trace = null)
    {
        if (pixels.dim() != 4 || pixels.shape[1] != Config.Channels)
            throw new ArgumentException($"Images must be [batch, {Config.Channels}, height, width], not [{string.Join(", ", pixels.shape)}].", nameof(pixels));
        using var scope = NewDisposeScope();
        var x = Config.Activation.Apply(bn1.forward(conv1.forward(pixels)));                                // [B, W, H / 2, W / 2]
        if (!Config.SmallStem)
            x = nn.functional.max_pool2d(x, 3, stride: 2, padding: 1);          // [B, W, H / 4, W / 4]
        trace?.Add("stem", x);
        foreach (var (stage, blocks) in Stages.Index())
        {
            foreach (var block in blocks)
                x = GradientCheckpointing && trace is null ? Layers.GradientCheckpointing.Run(block, block.forward, x, _generator) : block.forward(x);
            trace?.Add(StageName(stage), x);
        }
        return x.MoveToOuterDisposeScope();
    }

    private ModuleList<ResNetBlock>[] Stages => [layer1, layer2, layer3, layer4];

    /// <summary>The trace name of a stage's output.</summary>
    private static string StageName(int stage) => $"layer{stage + 1}";

    /// <summary>One vector an image, [B, D], the mean over the last stage's map [B, D, H, W]: what the head reads.</summary>
    public static Tensor Embedding(Tensor features) => features.mean([2, 3]);

    /// <summary>Class scores before the softmax, [B, classes], of embeddings [B, D].</summary>
    /// <exception cref="InvalidOperationException">The network has no head.</exception>
    public Tensor Logits(Tensor embedding) => fc?.forward(embedding) ?? throw new InvalidOperationException("This ResNet has no classification head.");

    /// <summary>Draws every weight as torchvision does: convolutions by He's rule for their outputs (arXiv 1502.01852); norms begin as the identity.</summary>
    public void Draw(Generator generator)
    {
        foreach (var conv in modules().OfType<Conv2d>())
            Initialization.Normal(conv.weight, Math.Sqrt(2.0 / (conv.weight.numel() / conv.weight.shape[1])), generator);
        DrawHead(generator);
    }

    /// <summary>Draws a new head only, for fine-tuning a loaded network on other classes.</summary>
    public void DrawHead(Generator generator)
    {
        if (fc is null)
            return;
        Initialization.FanInUniform(fc.weight, EmbeddingSize, generator);
        Initialization.FanInUniform(fc.bias!, EmbeddingSize, generator);
    }

    public int EmbeddingSize => Config.Widths[^1];

    public ImageSize AttentionSize => Config.GridOf(ResNetConfig.Stages - 1);

    /// <summary>The answer, and on request the embedding and how much each place of the last map speaks for it (Grad-CAM, arXiv 1610.02391).</summary>
    public ClassifierOutput Classify(Tensor pixels, bool embedding = false, bool attention = false)
    {
        var features = Features(pixels);                // [B, D, H, W]
        var pooled = Embedding(features);               // [B, D]
        var logits = Logits(pooled);
        return new(logits, embedding ? pooled : null, attention ? ClassMap(features, logits) : null);
    }

    // [B, D, H, W] -> [B, H, W], from 0 to 1
    private Tensor ClassMap(Tensor features, Tensor logits) =>
        ClassActivation.Scaled(ClassActivation.Of(features.flatten(2).transpose(1, 2), fc!.weight, logits.argmax(1)))
            .view(features.shape[0], features.shape[2], features.shape[3]);

    public int Depth => Config.Blocks;

    public bool IsHead(string parameter) => parameter.StartsWith("fc.", StringComparison.Ordinal);

    public int LayerOf(string parameter) => parameter.Split('.') switch
    {
        ["fc", ..] => Depth + 1,
        [var layer, var block, ..] when layer.StartsWith("layer", StringComparison.Ordinal) => Config.FirstBlockOf(Number(layer["layer".Length..]) - 1) + Number(block) + 1,
        _ => 0,
    };

    public bool IsSparedFromDecay(string parameter) => false;

    /// <summary>The pooled vector, the last stage's map, and each stage's, which is called as the options' property is without its ending.</summary>
    IReadOnlyList<ImageFeature> IFeatureNetwork.Features =>
    [
        new(IFeatureNetwork.Embedding, [EmbeddingSize]),
        new(FeatureMap, ShapeOf(ResNetConfig.Stages - 1)),
        .. Enumerable.Range(0, ResNetConfig.Stages).Select(stage => new ImageFeature($"{StageFeature}{stage + 1}", ShapeOf(stage))),
    ];

    public IReadOnlyDictionary<string, Tensor> Describe(Tensor pixels, IReadOnlySet<string> wanted)
    {
        var stages = Enumerable.Range(0, ResNetConfig.Stages).Where(stage => wanted.Contains($"{StageFeature}{stage + 1}")).ToArray();
        using var trace = stages.Length > 0 ? new Trace([.. stages.Select(StageName)]) : null;     // what is traced is not checkpointed
        var features = Features(pixels, trace);
        var outputs = stages.ToDictionary(stage => $"{StageFeature}{stage + 1}", stage => trace![StageName(stage)].alias());
        if (wanted.Contains(FeatureMap))
            outputs[FeatureMap] = features;
        if (wanted.Contains(IFeatureNetwork.Embedding))
            outputs[IFeatureNetwork.Embedding] = Embedding(features);
        return outputs;
    }

    private int[] ShapeOf(int stage) => [Config.Widths[stage], Config.GridOf(stage).Height, Config.GridOf(stage).Width];

    private static int Number(string segment) => int.Parse(segment, CultureInfo.InvariantCulture);
}
