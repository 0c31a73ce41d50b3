using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Parameter = TorchSharp.Modules.Parameter;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>
/// CLIP: "Learning Transferable Visual Models From Natural Language Supervision" (arXiv 2103.00020), and SigLIP: "Sigmoid Loss for
/// Language Image Pre-Training" (arXiv 2303.15343). Images and texts become vectors of one space, in which those that belong
/// together lie close. Reference implementations: openai/CLIP, Hugging Face's CLIP and SigLIP, open_clip.
/// </summary>
/// <remarks>Built without values: load a checkpoint, or call <see cref="Draw"/>.</remarks>
internal sealed class ClipNetwork : nn.Module, INetwork<ClipConfig, ClipNetwork>, ITrainableNetwork
{
    private static readonly Scalar s_largestLogitScale = Math.Log(100);    // kept, see TensorArithmetic

    private readonly ClipVisionNetwork vision;
    private readonly ClipTextNetwork text;
    private readonly Parameter logit_scale;
    private readonly Parameter? logit_bias;

    /// <param name="config">The hyper-parameters.</param>
    /// <param name="generator">The source of dropout while training; the caller keeps it alive. Scoring needs none.</param>
    public ClipNetwork(ClipConfig config, Generator? generator = null) : base(nameof(ClipNetwork))
    {
        Config = config.Validate();
        vision = new(config, generator);
        text = new(config.Text, generator);
        logit_scale = new Parameter(tensor((float)config.InitialLogitScale));
        logit_bias = config.Sigmoid ? new Parameter(tensor((float)ClipConfig.InitialLogitBias)) : null;
        RegisterComponents();
    }

    public ClipConfig Config { get; }

    public static ClipNetwork Create(ClipConfig config, Generator? generator = null) => new(config, generator);

    public bool IsBFloat16 => logit_scale.dtype == ScalarType.BFloat16;

    public bool GradientCheckpointing
    {
        get => vision.GradientCheckpointing;
        set => vision.GradientCheckpointing = text.GradientCheckpointing = value;
    }

    public ClipVisionNetwork Vision => vision;

    public ClipTextNetwork Text => text;

    /// <summary>How well each image goes with each text, [B, T], from vectors [B, E] and [T, E] of any length.</summary>
    public Tensor Logits(Tensor images, Tensor texts)
    {
        var logits = ScaleByTemperature(Normalize(images).matmul(Normalize(texts).t()));
        return logit_bias is null ? logits : logits.Add(logit_bias);
    }

    /// <summary>
    /// Keeps the temperature below 100, before each step of a training and after the last (arXiv 2103.00020, 2.5): more made it unstable.
    /// SigLIP has no such limit, and published ones are above it.
    /// </summary>
    public void ClampTemperature()
    {
        if (Config.Sigmoid)
            return;
        using var _ = no_grad();
        logit_scale.clamp_max_(s_largestLogitScale);
    }

    /// <summary>Cosines times the temperature.</summary>
    public Tensor ScaleByTemperature(Tensor cosines) => cosines.mul(logit_scale.exp());

    /// <summary>A classifier by words on the vision tower, which becomes the classifier's.</summary>
    /// <param name="classes">A vector of length 1 for each class, [C, E].</param>
    /// <param name="examples">Labeled images that speak for their classes beside the words, or none.</param>
    public ClipClassifierNetwork Classifier(Tensor classes, TipAdapter? examples = null)
    {
        using var _ = no_grad();
        var head = new Linear(Config.EmbeddingSize, (int)classes.shape[0], hasBias: Config.Sigmoid);
        head.to(classes.device);
        head.weight.copy_(ScaleByTemperature(classes));
        if (logit_bias is not null)
            head.bias!.copy_(logit_bias);
        return new(Config, vision, head, Config.Sigmoid, examples);
    }

    /// <summary>Vectors of length 1, in 32 bits: in 16 neither the length nor the hundredfold of a cosine would be exact.</summary>
    public static Tensor Normalize(Tensor vectors) => F.normalize(vectors.to(ScalarType.Float32), dim: -1);

    /// <summary>Leaves to learn what is wanted; the temperature goes with either tower.</summary>
    public void Freeze(ClipTrainedTowers trained)
    {
        foreach (var parameter in vision.parameters())
            parameter.requires_grad = trained != ClipTrainedTowers.Text;
        foreach (var parameter in text.parameters())
            parameter.requires_grad = trained != ClipTrainedTowers.Vision;
    }

    /// <summary>Whether weight decay spares a parameter though it is no vector: tokens, position embeddings.</summary>
    public static bool IsSparedFromDecay(string parameter) => parameter.EndsWith("_embed", StringComparison.Ordinal) || parameter.EndsWith("cls_token", StringComparison.Ordinal) || parameter.EndsWith("probe", StringComparison.Ordinal);

    /// <summary>By how much layer-wise decay slows a parameter; see <see cref="Training.ParameterGroups.LayerDecay"/>. Each tower counts its own blocks.</summary>
    public static double RateScale(ClipConfig config, string parameter, double decay)
    {
        string[] parts = parameter.Split('.');
        var depth = parts[0] == "text" ? config.Text.Depth : config.Vision.Depth;
        var blocks = Array.IndexOf(parts, "blocks");
        var layer = blocks >= 0 ? int.Parse(parts[blocks + 1], CultureInfo.InvariantCulture) + 1
            : Array.Exists(parts, part => part.EndsWith("_embed", StringComparison.Ordinal) || part is "cls_token" or "norm_pre") ? 0
            : depth + 1;
        return Training.ParameterGroups.LayerDecay(decay, layer, depth);
    }

    /// <summary>Draws every weight; the temperature starts as the papers say.</summary>
    public void Draw(Generator generator)
    {
        vision.Initialize(generator);
        text.Initialize(generator);
    }

    /// <summary>There is none.</summary>
    public void DrawHead(Generator generator)
    {
    }
}
