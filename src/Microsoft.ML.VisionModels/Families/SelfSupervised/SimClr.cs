using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>
/// SimCLR: "A Simple Framework for Contrastive Learning of Visual Representations" (arXiv 2002.05709). Two views of an image shall be
/// more alike than views of two images. Reference implementation: sthalles/SimCLR.
/// </summary>
internal sealed class SimClr : SslLearner
{
    private static readonly Scalar s_hidden = double.NegativeInfinity;      // kept, see TensorArithmetic

    private readonly nn.Module backbone;
    private readonly ProjectionHead projector;
    private readonly double _temperature;

    public SimClr(nn.Module backbone, SimClrOptions options) : base(nameof(SimClr))
    {
        this.backbone = backbone;
        projector = ProjectionHead.Mlp(backbone.EmbeddingWidth(), options.HiddenSize, options.ProjectionSize);
        _temperature = options.Temperature;
        RegisterComponents();
    }

    public override nn.Module Kept => backbone;

    public override void DrawHeads(Generator generator) => projector.Draw(generator);

    public override Tensor Loss(SslViews views) => NtXent(projector.forward(backbone.Embed(views.Together)), _temperature);

    /// <summary>
    /// The normalized temperature-scaled cross entropy: of all other views in the batch, an image's second view shall be the most like
    /// its first. A mean over the 2 B views; google-research's code sums two means over B, which is twice as much.
    /// </summary>
    /// <param name="features">[2 B, D]: first the one view of all images, then the other.</param>
    /// <param name="temperature">What the cosines are divided by.</param>
    public static Tensor NtXent(Tensor features, double temperature)
    {
        var logits = Similarities(features, temperature);                       // [2 B, 2 B]
        return F.cross_entropy(logits, OtherViews(features));
    }

    /// <summary>Cosines over the temperature, [2 B, 2 B], with minus infinity where a view meets itself.</summary>
    internal static Tensor Similarities(Tensor features, double temperature)
    {
        var unit = F.normalize(features.to(ScalarType.Float32), dim: 1);
        var itself = eye(unit.shape[0], dtype: ScalarType.Bool, device: unit.device);
        return unit.matmul(unit.t()).Div(temperature).masked_fill(itself, s_hidden);
    }

    /// <summary>Where the other view of each image is, [2 B].</summary>
    internal static Tensor OtherViews(Tensor features)
    {
        var count = features.shape[0];
        return TensorArithmetic.Arange(count, features.device).roll(count / 2, 0);
    }
}
